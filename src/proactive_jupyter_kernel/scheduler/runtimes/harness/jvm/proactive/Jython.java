package proactive;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** Runs a Jython script: java proactive.Jython FOLDER. Does what Jython's script engine does in ProActive. */
public final class Jython extends Language {
    private static final Class<?>[] NAME = {String.class};
    private static final Class<?>[] NONE = {};
    private static Class<?> object;

    private final Class<?> interpreterType;
    private Task task;
    private String[] source;
    /** Of the next script; null: to be made. */
    private Object interpreter;
    private boolean initialized;
    /** Where modules are looked for, as the first interpreter found out. */
    private List<Object> path;

    Jython() throws ReflectiveOperationException {
        object = Mirror.type("org.python.core.PyObject");
        interpreterType = Mirror.type("org.python.util.PythonInterpreter");
        Wire.language = new Wire.Language() {
            @Override
            Object javaOf(Object value) {
                return Jython.javaOf(value);
            }
        };
    }

    public static void main(String[] arguments) throws Throwable {
        System.exit(new Jython().run(arguments[0]));
    }

    /** Make an interpreter with modules, path and arguments of its own. */
    @Override
    void prepare() throws Throwable {
        if (interpreter != null) {
            return;
        }
        // The module `site` takes much longer than all the rest. All that it does is known: it has set the path.
        Mirror.type("org.python.core.Options").getField("importSite").setBoolean(null, false);
        Object state = Mirror.type("org.python.core.PySystemState").getConstructor().newInstance();
        interpreter = interpreterType.getConstructor(object, state.getClass()).newInstance(null, state);
        List<Object> known = path(state);
        known.clear();
        known.addAll(path);
    }

    @SuppressWarnings("unchecked")
    private static List<Object> path(Object state) throws ReflectiveOperationException {
        return (List<Object>) Mirror.field(state, "path");
    }

    private void start() throws Throwable {
        String[] given = (String[]) task.bindings.getOrDefault("args", new String[0]);
        String[] arguments = new String[given.length + 1];
        arguments[0] = task.label();
        System.arraycopy(given, 0, arguments, 1, given.length);
        if (!initialized) {
            Class<?>[] types = {Properties.class, Properties.class, String[].class};
            Mirror.call(interpreterType, null, "initialize", types, System.getProperties(), null, arguments);
            interpreter = interpreterType.getConstructor().newInstance();
            path = new ArrayList<>(path(Mirror.call(interpreterType, interpreter, "getSystemState", NONE)));
            initialized = true;
            return;
        }
        if (interpreter == null) {
            prepare();
        }
        Object state = Mirror.call(interpreterType, interpreter, "getSystemState", NONE);
        @SuppressWarnings("unchecked")
        List<Object> known = (List<Object>) Mirror.field(state, "argv");
        known.clear();
        Mirror.call(state.getClass(), state, "setCurrentWorkingDir", NAME, System.getProperty("user.dir"));
        Class<?> python = Mirror.type("org.python.core.Py");
        for (String argument : arguments) {
            known.add(Mirror.call(python, null, "newStringOrUnicode", NAME, argument));
        }
    }

    @Override
    int run(String folder) throws Throwable {
        task = Task.load(folder);
        source = task.code().split("\n", -1);
        start();
        Class<?>[] pair = {String.class, Object.class};
        for (Map.Entry<String, Object> entry : task.bindings.entrySet()) {
            Mirror.call(interpreterType, interpreter, "set", pair, entry.getKey(), entry.getValue());
        }
        Mirror.call(interpreterType, interpreter, "set", pair, "__file__", task.label());
        Object system = Mirror.call(interpreterType, interpreter, "getSystemState", NONE);
        path(system).add(0, "");
        int code = 0;
        Object value = null;
        try {
            Class<?>[] texts = {String.class, String.class};
            Object compiled =
                    Mirror.call(interpreterType, interpreter, "compile", texts, String.join("\n", source), task.label());
            value = Mirror.call(interpreterType, interpreter, "eval", new Class<?>[] {object}, compiled);
        } catch (RuntimeException error) {
            code = failed(error);
        }
        flush(Mirror.field(system, "stdout"));
        int finished = task.finish(globals(), value);
        // Closes the script's files, as the end of the machine does.
        Mirror.call(system, "cleanup");
        interpreter = null;
        return finished == 0 ? code : finished;
    }

    private void flush(Object output) throws Throwable {
        try {
            Mirror.call(object, output, "invoke", NAME, "flush");
        } catch (RuntimeException other) {
            // The script put something else there.
        }
    }

    private Map<String, Object> globals() throws Throwable {
        Map<String, Object> found = new LinkedHashMap<>();
        List<Object> names = new ArrayList<>(task.returns());
        names.add("resultMetadata");
        for (Object name : names) {
            Object value = Mirror.call(interpreterType, interpreter, "get", NAME, name);
            if (value != null) {
                found.put((String) name, value);
            }
        }
        return found;
    }

    // --- values ------------------------------------------------------------------------------------------------------

    /** What Jython hands to Java for the value; its bytes as text where they are UTF-8, as a literal 'é' makes them. */
    private static Object javaOf(Object value) {
        Object known = value;
        if (object.isInstance(value)) {
            try {
                known = Mirror.call(object, value, "__tojava__", new Class<?>[] {Class.class}, Object.class);
            } catch (Throwable noJava) {
                return value;
            }
        }
        return known instanceof String ? decoded((String) known) : known;
    }

    private static String decoded(String text) {
        boolean ascii = true;
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) > 255) {
                return text;
            }
            ascii &= text.charAt(at) < 128;
        }
        if (ascii) {
            return text;
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException otherBytes) {
            return text;
        }
    }

    // --- errors ------------------------------------------------------------------------------------------------------

    /** Tell what the script raised; returns the exit code of its process. */
    private int failed(RuntimeException error) throws Throwable {
        if (!error.getClass().getName().startsWith("org.python.core.Py")) {
            throw error;
        }
        Mirror.call(error, "normalize");
        Object value = Mirror.field(error, "value");
        String name = className(Mirror.field(error, "type"));
        if (name.equals("SystemExit")) {
            return leave(value);
        }
        StringBuilder trace = new StringBuilder("Traceback (most recent call last):");
        String message;
        Object thrown = javaOf(value);
        if (thrown instanceof Throwable) {
            String type = thrown.getClass().getName();
            name = type.startsWith("proactive.") ? thrown.getClass().getSimpleName() : type;
            message = String.valueOf(((Throwable) thrown).getMessage());
        } else if (name.equals("SyntaxError") || name.equals("IndentationError")) {
            message = attribute(value, "msg");
            line(trace, task.label(), Integer.parseInt(attribute(value, "lineno")), "");
        } else {
            message = value == null ? "" : decoded(text(value));
        }
        for (Object at = Mirror.field(error, "traceback"); at != null; at = Mirror.field(at, "tb_next")) {
            Object code = Mirror.field(Mirror.field(at, "tb_frame"), "f_code");
            String function = ", in " + Mirror.field(code, "co_name");
            line(trace, (String) Mirror.field(code, "co_filename"), (int) Mirror.field(at, "tb_lineno"), function);
        }
        trace.append('\n').append(name).append(message.isEmpty() ? "" : ": " + message);
        task.fail(name, message, trace.toString());
        return 1;
    }

    private void line(StringBuilder trace, String file, int line, String function) {
        trace.append("\n  File \"").append(file).append("\", line ").append(line).append(function);
        if (file.equals(task.label()) && line > 0 && line <= source.length) {
            trace.append("\n    ").append(source[line - 1].trim());
        }
    }

    private int leave(Object value) throws Throwable {
        Object code = javaOf(find(value, "code"));
        int number = 1;
        if (code == null || code instanceof Number) {
            number = code == null ? 0 : ((Number) code).intValue() & 255;
        } else {
            System.err.println(code);
        }
        task.exit(number);
        return number;
    }

    private Object find(Object value, String name) throws Throwable {
        return Mirror.call(object, value, "__findattr__", NAME, name);
    }

    private String attribute(Object value, String name) throws Throwable {
        Object found = find(value, name);
        return found == null ? "" : String.valueOf(javaOf(found));
    }

    private String className(Object type) throws Throwable {
        String name = attribute(type, "__name__");
        String module = attribute(type, "__module__");
        return module.isEmpty() || module.equals("exceptions") || module.equals("__main__") ? name : module + "." + name;
    }

    /** The text of an exception: unicode(error), str(error) where that fails. */
    private String text(Object value) throws Throwable {
        try {
            return Mirror.call(object, value, "__unicode__", new Class<?>[0]).toString();
        } catch (RuntimeException noUnicode) {
            return value.toString();
        }
    }
}
