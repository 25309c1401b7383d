package proactive;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.security.Security;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TimeZone;

/**
 * What a script leaves behind in its Java machine: made before the script, asked after it.
 *
 * <p>It finds threads, also those that wait for processes; system properties, standard streams, locale and time zone;
 * security managers and providers; handlers of uncaught exceptions; what is to be done at the end of the machine; and,
 * where the system shows them, open files and connections. Nothing of that is repaired.
 */
final class Residue {
    /** Threads that the Java machine starts for itself when it first needs them. */
    private static final Set<String> OWN = new HashSet<>(Arrays.asList(
            "Common-Cleaner", "Finalizer", "Reference Handler", "Signal Dispatcher", "Attach Listener",
            "Notification Thread", "Service Thread"));

    private static final File DESCRIPTORS = new File("/proc/self/fd");

    private final Set<Thread> threads = threads();
    private final Properties properties = System.getProperties();
    private final Properties given = (Properties) properties.clone();
    private final List<Object> defaults = defaults();
    private final Set<Object> endings = endings();
    private final Set<String> files = files();

    Residue() {
        // The properties that a task gets are its own: see Task.
        System.setProperties((Properties) given.clone());
    }

    /** Whether anything is left. Takes back the properties that Task has set. */
    boolean isLeft() {
        Properties now = System.getProperties();
        for (String own : Task.properties) {
            now.remove(own);
        }
        Properties before = (Properties) given.clone();
        for (String own : Task.properties) {
            before.remove(own);
        }
        boolean left = !now.equals(before);
        System.setProperties(properties);
        Set<Thread> live = threads();
        live.removeAll(threads);
        live.remove(Thread.currentThread());
        Set<String> open = files();
        open.removeAll(files);
        Set<Object> ends = endings();
        boolean redirected = System.out != Task.out || System.err != Task.err;
        return left || redirected || !live.isEmpty() || !open.isEmpty() || ends == null || endings == null || !endings.containsAll(ends)
                || !defaults().equals(defaults);
    }

    private static Set<Thread> threads() {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread[] found = new Thread[root.activeCount() + 64];
        int count = root.enumerate(found, true);
        Set<Thread> live = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int index = 0; index < count; index++) {
            if (!OWN.contains(found[index].getName())) {
                live.add(found[index]);
            }
        }
        return live;
    }

    private static List<Object> defaults() {
        List<Object> found = new ArrayList<>();
        found.add(Locale.getDefault());
        for (Locale.Category category : Locale.Category.values()) {
            found.add(Locale.getDefault(category));
        }
        found.add(TimeZone.getDefault());
        found.add(Thread.getDefaultUncaughtExceptionHandler());
        found.add(Arrays.asList(Security.getProviders()));
        found.add(System.getSecurityManager());
        found.add(System.in);
        return found;
    }

    /** What is to be done when the machine ends; null where it does not say. */
    private static Set<Object> endings() {
        try {
            Set<Object> found = new HashSet<>(((Map<?, ?>) hidden("java.lang.ApplicationShutdownHooks", "hooks")).keySet());
            found.addAll((Collection<?>) hidden("java.io.DeleteOnExitHook", "files"));
            return found;
        } catch (ReflectiveOperationException | RuntimeException closed) {
            return null;
        }
    }

    private static Object hidden(String type, String name) throws ReflectiveOperationException {
        Field field = Class.forName(type).getDeclaredField(name);
        field.setAccessible(true);
        return field.get(null);
    }

    /** Open files but for archives, which class loaders keep, and connections. */
    private static Set<String> files() {
        Set<String> found = new HashSet<>();
        String[] numbers = DESCRIPTORS.list();
        for (String number : numbers == null ? new String[0] : numbers) {
            try {
                String target = Files.readSymbolicLink(DESCRIPTORS.toPath().resolve(number)).toString();
                if (!target.endsWith(".jar") && !target.startsWith("/dev/") && !target.endsWith("/fd")) {
                    found.add(number + " " + target);
                }
            } catch (IOException gone) {
                continue;
            }
        }
        return found;
    }
}
