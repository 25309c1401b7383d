package proactive;

import java.io.IOException;
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
public final class Scala extends Language {
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

    private Task task;
    private Path folder;
    private String name;
    private ScalaCompiler compiler;

    Scala() {
        Wire.language = new Wire.Language() {
            @Override
            Object javaOf(Object value) {
                return Scala.javaOf(value);
            }
        };
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
        System.exit(new Scala().run(arguments[0]));
    }

    @Override
    int rehearsals() {
        return 6;
    }

    /** As the option -Xss of the launch. */
    @Override
    long stackSize() {
        return 4L * 1024 * 1024;
    }

    @Override
    int run(String folder) throws Throwable {
        task = Task.load(folder);
        this.folder = Paths.get(folder);
        name = (String) task.told("name");
        Map<String, Object> globals = new LinkedHashMap<>();
        if (compile()) {
            URL[] classes = {classes().toUri().toURL()};
            // The thread, and so this setting, is the script's own.
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
        if (compiler == null) {
            compiler = new ScalaCompiler(classes());
        }
        boolean fine = compiler.compile(source, classes(), !rehearses);
        String said = told(compiler.said(), source).trim();
        if (!said.isEmpty()) {
            System.err.println(said);
        }
        if (!fine) {
            task.fail("", "the script does not compile: " + said.split("\n", 2)[0], said, false);
        }
        return fine;
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
