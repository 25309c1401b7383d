package proactive;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs a Scala 2 script: java proactive.Scala FOLDER. The script becomes the body of a class that has the bindings as
 * members, which Scala's compiler compiles here.
 */
public final class Scala {
    private static final Map<String, String> TYPES = new LinkedHashMap<>();

    static {
        TYPES.put("variables", "java.util.Map[String, Any]");
        TYPES.put("resultMap", "java.util.Map[String, Any]");
        TYPES.put("genericInformation", "java.util.Map[String, String]");
        TYPES.put("credentials", "java.util.Map[String, String]");
        TYPES.put("resultMetadata", "java.util.Map[String, String]");
        TYPES.put("results", "Array[proactive.TaskResult]");
        TYPES.put("args", "Array[String]");
        TYPES.put("nodesurl", "java.util.List[String]");
        TYPES.put("allnodesurl", "java.util.List[String]");
        TYPES.put("progress", "proactive.Progress");
        TYPES.put("synchronizationapi", "proactive.Synchronization");
        TYPES.put("signalapi", "proactive.Signals");
        TYPES.put("forkEnvironment", "proactive.ForkEnvironment");
    }

    /** Stands in a global that the script has not set. */
    public static final Object UNSET = new Object();

    private final Task task;
    private final Path folder;
    private final String name;

    private Scala(Task task, Path folder) {
        this.task = task;
        this.folder = folder;
        name = (String) task.told("name");
    }

    public static void main(String[] arguments) throws Throwable {
        ClassLoader system = ClassLoader.getSystemClassLoader();
        if (arguments.length == 1 && Scala.class.getClassLoader() != system) {
            // Scala's launcher brought us here, by a loader that does not know all of Java.
            URL[] ours = {Scala.class.getProtectionDomain().getCodeSource().getLocation()};
            ClassLoader loader = new URLClassLoader(ours, system);
            Thread.currentThread().setContextClassLoader(loader);
            Class<?> again = loader.loadClass(Scala.class.getName());
            Object given = new String[] {arguments[0], "again"};
            Mirror.call(again, null, "main", new Class<?>[] {String[].class}, given);
            return;
        }
        Wire.language = new Wire.Language() {
            @Override
            Object javaOf(Object value) {
                return Scala.javaOf(value);
            }
        };
        System.exit(new Scala(Task.load(arguments[0]), Paths.get(arguments[0])).run());
    }

    private int run() throws Throwable {
        Map<String, Object> globals = new LinkedHashMap<>();
        if (compile()) {
            URL[] classes = {classes().toUri().toURL()};
            ClassLoader loader = new URLClassLoader(classes, Thread.currentThread().getContextClassLoader());
            Thread.currentThread().setContextClassLoader(loader);
            try {
                Object script = loader.loadClass(name).getConstructor(Map.class, Map.class)
                        .newInstance(task.bindings, globals);
                script.getClass().getMethod("proactiveRun").invoke(script);
            } catch (InvocationTargetException error) {
                Traces.fail(task, error.getCause(), name + ".scala", 1);
            }
        }
        globals.values().removeAll(Collections.singleton(UNSET));
        globals.put("resultMetadata", task.bindings.get("resultMetadata"));
        return task.finish(globals, null);
    }

    private Path classes() {
        return folder.resolve("classes");
    }

    // --- compiling ---------------------------------------------------------------------------------------------------

    private boolean compile() throws Throwable {
        Path source = Files.createDirectories(classes()).resolve(name + ".scala");
        Files.write(source, wrapped().getBytes(StandardCharsets.UTF_8));
        PrintStream standard = System.err;
        Switch output = new Switch(standard);
        System.setErr(new PrintStream(output, true, "UTF-8"));
        boolean fine;
        String said;
        try {
            fine = compiled(source);
        } finally {
            said = told(output.release(), source);
            if (!said.isEmpty()) {
                standard.println(said.trim());
            }
        }
        if (!fine) {
            task.fail("", "the script does not compile: " + said.trim().split("\n", 2)[0], said.trim(), false);
        }
        return fine;
    }

    private boolean compiled(Path source) throws Throwable {
        Class<?> compiler = Mirror.type("scala.tools.nsc.Main");
        String[] command = {
            "-d", classes().toString(), "-classpath", classpath(), "-encoding", "UTF-8", source.toString()
        };
        Mirror.call(compiler, null, "process", new Class<?>[] {String[].class}, (Object) command);
        Object reporter = Mirror.call(compiler, null, "reporter", new Class<?>[0]);
        return !(boolean) Mirror.call(reporter, "hasErrors");
    }

    /**
     * The script with the bindings in front of it, in one line, and the globals that it may set behind it. Only those
     * that it may mean: each takes the compiler some milliseconds.
     */
    private String wrapped() throws IOException {
        String code = task.code();
        StringBuilder text = new StringBuilder("class " + name + "(bindings: java.util.Map[String, Object], "
                + "globals: java.util.Map[String, Any]) { ");
        for (Map.Entry<String, Object> binding : task.bindings.entrySet()) {
            if (code.contains(binding.getKey()) && !task.returns().contains(binding.getKey())) {
                String given = binding.getValue() instanceof Absent ? "proactive.Absent" : "String";
                String type = TYPES.getOrDefault(binding.getKey(), given);
                text.append("val `").append(binding.getKey()).append("` = bindings.get(\"").append(binding.getKey())
                        .append("\").asInstanceOf[").append(type).append("]; ");
            }
        }
        for (Object global : task.returns()) {
            text.append("var ").append(global).append(": Any = bindings.getOrDefault(\"").append(global)
                    .append("\", proactive.Scala.UNSET); ");
        }
        text.append("def proactiveRun(): Unit = {\n").append(code).append("\n;");
        for (Object global : task.returns()) {
            text.append("globals.put(\"").append(global).append("\", ").append(global).append("); ");
        }
        return text.append("} }\n").toString();
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
        String ours = Scala.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return path.append(File.pathSeparator).append(ours).toString();
    }

    /** The compiler's messages, with the script's name and lines. */
    private String told(String said, Path source) {
        Matcher place = Pattern.compile(Pattern.quote(source.toString()) + ":(\\d+)").matcher(said);
        StringBuffer text = new StringBuffer();
        while (place.find()) {
            int line = Integer.parseInt(place.group(1)) - 1;
            place.appendReplacement(text, Matcher.quoteReplacement(task.label() + ":" + line));
        }
        return place.appendTail(text).toString();
    }

    /** Keeps what is written until it is released; afterwards it goes where it belongs. */
    private static final class Switch extends OutputStream {
        private final PrintStream target;
        private ByteArrayOutputStream kept = new ByteArrayOutputStream();

        Switch(PrintStream target) {
            this.target = target;
        }

        @Override
        public synchronized void write(int value) throws IOException {
            (kept == null ? target : kept).write(value);
        }

        @Override
        public synchronized void write(byte[] bytes, int start, int length) throws IOException {
            (kept == null ? target : kept).write(bytes, start, length);
        }

        @Override
        public void flush() {
            target.flush();
        }

        synchronized String release() {
            String said = new String(kept.toByteArray(), StandardCharsets.UTF_8);
            kept = null;
            return said;
        }
    }

    // --- values ------------------------------------------------------------------------------------------------------

    private static Object javaOf(Object value) {
        if (value == null || !value.getClass().getName().startsWith("scala.")) {
            return value;
        }
        try {
            return known(value);
        } catch (Throwable noJava) {
            return value;
        }
    }

    private static boolean is(Object value, String type) throws ReflectiveOperationException {
        return Mirror.type("scala." + type).isInstance(value);
    }

    /** Scala's own collections and numbers as those of Java; Some is its value, None and Unit are null. */
    private static Object known(Object value) throws Throwable {
        if (is(value, "runtime.BoxedUnit") || is(value, "None$")) {
            return null;
        }
        if (is(value, "Some")) {
            return javaOf(Mirror.call(Mirror.type("scala.Some"), value, "get", new Class<?>[0]));
        }
        if (is(value, "math.BigInt")) {
            return Mirror.call(value, "bigInteger");
        }
        if (is(value, "math.BigDecimal")) {
            return Mirror.call(value, "bigDecimal");
        }
        return is(value, "collection.Iterable") ? collection(value) : value;
    }

    private static Object collection(Object value) throws Throwable {
        List<Object> items = new ArrayList<>();
        Class<?> type = Mirror.type("scala.collection.Iterator");
        Class<?>[] none = {};
        Object iterator = Mirror.call(Mirror.type("scala.collection.Iterable"), value, "iterator", none);
        while ((boolean) Mirror.call(type, iterator, "hasNext", none)) {
            items.add(Mirror.call(type, iterator, "next", none));
        }
        if (is(value, "collection.Set")) {
            return new LinkedHashSet<>(items);
        }
        if (!is(value, "collection.Map")) {
            return items;
        }
        Class<?> pair = Mirror.type("scala.Tuple2");
        Map<Object, Object> map = new LinkedHashMap<>();
        for (Object entry : items) {
            map.put(Mirror.call(pair, entry, "_1", none), Mirror.call(pair, entry, "_2", none));
        }
        return map;
    }
}
