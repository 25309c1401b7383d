package proactive;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Scala's compiler, which compiles one script after the other and loads Scala's own classes once. */
final class ScalaCompiler {
    private static final int MOST = 50;

    /** By text, of scripts about which the compiler had nothing to say: replicas and rounds of a loop have the same. */
    private final Map<String, Map<String, byte[]>> made = new LinkedHashMap<String, Map<String, byte[]>>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Map<String, byte[]>> eldest) {
            return size() > MOST;
        }
    };

    private final StringWriter said = new StringWriter();
    private final Object settings;
    private final Object reporter;
    private final Object global;

    /** The compiler as the command line makes it; `folder` exists. */
    ScalaCompiler(Path folder) throws Throwable {
        settings = Mirror.type("scala.tools.nsc.Settings").getConstructor().newInstance();
        Object arguments = list("-d", folder.toString(), "-classpath", classpath(), "-encoding", "UTF-8");
        Class<?>[] types = {Mirror.type("scala.collection.immutable.List"), boolean.class};
        Mirror.call(settings.getClass(), settings, "processArguments", types, arguments, true);
        reporter = instance("scala.tools.nsc.reporters.ConsoleReporter", settings,
                new BufferedReader(new StringReader("")), new PrintWriter(said));
        global = instance("scala.tools.nsc.Global", settings, reporter);
    }

    /** Compile a file into a folder; `mayKnow`: or take the classes that were made of the same text. False: it has errors. */
    boolean compile(Path source, Path folder, boolean mayKnow) throws Throwable {
        String text = new String(Files.readAllBytes(source), StandardCharsets.UTF_8);
        Map<String, byte[]> known = mayKnow ? made.get(text) : null;
        said.getBuffer().setLength(0);
        if (known != null) {
            for (Map.Entry<String, byte[]> file : known.entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue());
            }
            return true;
        }
        boolean fine = compiled(source, folder);
        if (fine && said.getBuffer().length() == 0) {
            made.put(text, classes(folder));
        }
        return fine;
    }

    private static Map<String, byte[]> classes(Path folder) throws IOException {
        Map<String, byte[]> found = new HashMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.class")) {
            for (Path file : files) {
                found.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return found;
    }

    private boolean compiled(Path source, Path folder) throws Throwable {
        Mirror.call(reporter, "reset");
        Object outputs = Mirror.call(settings, "outputDirs");
        Mirror.call(outputs.getClass(), outputs, "setSingleOutput", new Class<?>[] {String.class}, folder.toString());
        Object run = instance("scala.tools.nsc.Global$Run", global);
        Class<?>[] files = {Mirror.type("scala.collection.immutable.List")};
        Mirror.call(run.getClass(), run, "compile", files, list(source.toString()));
        summarize();
        return !(boolean) Mirror.call(reporter, "hasErrors");
    }

    /** The messages about the last file. */
    String said() {
        return said.toString();
    }

    /** Have the reporter tell the number of errors, whatever its version calls that. */
    private void summarize() throws Throwable {
        for (String name : new String[] {"printSummary", "finish"}) {
            for (Method method : reporter.getClass().getMethods()) {
                if (method.getName().equals(name) && method.getParameterCount() == 0) {
                    method.invoke(reporter);
                    return;
                }
            }
        }
    }

    private static Object instance(String type, Object... arguments) throws Throwable {
        for (Constructor<?> constructor : Mirror.type(type).getConstructors()) {
            if (fits(constructor.getParameterTypes(), arguments)) {
                try {
                    return constructor.newInstance(arguments);
                } catch (InvocationTargetException thrown) {
                    throw thrown.getCause();
                }
            }
        }
        throw new NoSuchMethodException(type);
    }

    private static boolean fits(Class<?>[] types, Object[] arguments) {
        boolean fits = types.length == arguments.length;
        for (int index = 0; fits && index < types.length; index++) {
            fits = types[index].isInstance(arguments[index]);
        }
        return fits;
    }

    private static Object list(String... texts) throws Throwable {
        Class<?> nil = Mirror.type("scala.collection.immutable.Nil$");
        Object list = nil.getField("MODULE$").get(null);
        for (int index = texts.length - 1; index >= 0; index--) {
            Class<?>[] types = {Object.class};
            list = Mirror.call(Mirror.type("scala.collection.immutable.List"), list, "$colon$colon", types, texts[index]);
        }
        return list;
    }

    /** Our archive and those of Scala, whose launcher keeps them off the class path. */
    private static String classpath() {
        StringBuilder path = new StringBuilder(System.getProperty("java.class.path"));
        File[] archives = new File(System.getProperty("scala.home", "."), "lib").listFiles();
        for (File archive : archives == null ? new File[0] : archives) {
            if (archive.getName().endsWith(".jar")) {
                path.append(File.pathSeparator).append(archive);
            }
        }
        String ours = ScalaCompiler.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return path.append(File.pathSeparator).append(ours).toString();
    }
}
