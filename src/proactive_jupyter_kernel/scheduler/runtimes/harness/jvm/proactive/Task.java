package proactive;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One script of a task: its request, its globals, its report. The languages' harnesses run the script in between. */
public final class Task {
    private static final String[] CLIENTS = {"userspaceapi", "globalspaceapi", "schedulerapi", "rmapi"};

    /** The system properties that the last task was given. */
    static final List<String> properties = new ArrayList<>();

    /** The standard streams that the last task was given. */
    static PrintStream out;
    static PrintStream err;

    /** The script's globals by name: what ProActive's bindings hold. */
    public final Map<String, Object> bindings = new LinkedHashMap<>();

    private final Map<?, ?> request;
    private final StringBuilder report = new StringBuilder("{");
    private boolean failed;

    private Task(Map<?, ?> request) {
        this.request = request;
        bindings.put("variables", new Variables("variables", map("variables")));
        bindings.put("genericInformation", map("genericInformation"));
        bindings.put("credentials", map("credentials"));
        List<?> args = (List<?>) request.get("args");
        if (!args.isEmpty()) { // otherwise a server has no such name
            bindings.put("args", args.toArray(new String[0]));
        }
        bind(map("spaces"));
        bind(map("node"));
        properties.clear();
        for (Map.Entry<?, ?> property : map("nodeProperties").entrySet()) {
            System.setProperty((String) property.getKey(), (String) property.getValue());
            properties.add((String) property.getKey());
        }
        for (String client : CLIENTS) {
            bindings.put(client, new Absent(client));
        }
        if (map("services").isEmpty()) {
            bindings.put("synchronizationapi", new Absent("synchronizationapi"));
            bindings.put("signalapi", new Absent("signalapi"));
        } else {
            Services services = new Services(map("services"));
            bindings.put("synchronizationapi", new Synchronization(services));
            bindings.put("signalapi", new Signals(services));
        }
        bindOptional();
    }

    /** The task of a stage's folder. Also makes standard output and error speak UTF-8. */
    public static Task load(String folder) throws IOException {
        out = stream(FileDescriptor.out);
        err = stream(FileDescriptor.err);
        System.setOut(out);
        System.setErr(err);
        return new Task((Map<?, ?>) Json.parse(read(Paths.get(folder, "request.json"))));
    }

    private static PrintStream stream(FileDescriptor descriptor) throws UnsupportedEncodingException {
        return new PrintStream(new FileOutputStream(descriptor), true, "UTF-8");
    }

    private static String read(Path path) throws IOException {
        return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
    }

    private Map<?, ?> map(String key) {
        return (Map<?, ?>) request.get(key);
    }

    private void bind(Map<?, ?> entries) {
        for (Map.Entry<?, ?> entry : entries.entrySet()) {
            bindings.put((String) entry.getKey(), entry.getValue());
        }
    }

    private void bindOptional() {
        if (request.get("results") != null) {
            String job = String.valueOf(map("variables").get("PA_JOB_ID"));
            List<?> parents = (List<?>) request.get("results");
            TaskResult[] results = new TaskResult[parents.size()];
            for (int index = 0; index < results.length; index++) {
                results[index] = new TaskResult((Map<?, ?>) parents.get(index), job);
            }
            bindings.put("results", results);
        }
        Map<?, ?> result = map("result");
        if (result != null) {
            Map<?, ?> failure = (Map<?, ?>) result.get("failure");
            bindings.put("result", failure == null ? Wire.value(result.get("value"))
                    : TaskResult.TaskFailed.of(failure, ""));
        }
        if (request.get("resultMetadata") != null) {
            bindings.put("resultMetadata", new LinkedHashMap<>(map("resultMetadata")));
        }
        if (request.get("resultMap") != null) {
            bindings.put("resultMap", new Variables("resultMap", map("resultMap")));
        }
        if (request.get("nodesurl") != null) {
            bindings.put("nodesurl", request.get("nodesurl"));
            bindings.put("allnodesurl", request.get("allnodesurl"));
        }
        if (!"".equals(request.get("progressFile"))) {
            bindings.put("progress", new Progress((String) request.get("progressFile")));
        }
        if (request.get("forkEnvironment") != null) {
            bindings.put("forkEnvironment", new ForkEnvironment(map("forkEnvironment")));
        }
    }

    /** A key of the request. */
    public Object told(String key) {
        return request.get(key);
    }

    /** How errors name the script. */
    public String label() {
        return (String) request.get("label");
    }

    /** The script's text. */
    public String code() throws IOException {
        return read(Paths.get((String) request.get("script")));
    }

    /** Names of the globals that are read when the script has ended. */
    public List<?> returns() {
        return (List<?>) request.get("returns");
    }

    /** The script failed: show why and keep it for the report. */
    public void fail(String type, String message, String trace) {
        fail(type, message, trace, true);
    }

    /** The same; `show`: on standard error, too. */
    void fail(String type, String message, String trace, boolean show) {
        if (show) {
            System.err.println(trace);
        }
        failed = true;
        entry("error", "{\"type\":");
        Wire.quote(report, type);
        report.append(",\"message\":");
        Wire.quote(report, message);
        report.append(",\"trace\":");
        Wire.quote(report, trace);
        report.append('}');
    }

    /** The script ended by its language's exit function. */
    public void exit(int code) {
        failed = true;
        entry("exit", String.valueOf(code));
    }

    /**
     * Write the report. `globals` are the script's; `value` is its own value, which is the result of a main script that
     * set none, if it can travel and is not null. Returns the exit code of the process.
     */
    public int finish(Map<String, ?> globals, Object value) throws IOException {
        int start = report.length();
        int code = report.indexOf("\"error\"") == 1 ? 1 : 0;
        try {
            maps(globals);
            if (!failed) {
                values(globals, value);
            }
        } catch (Wire.NotPortable fault) {
            report.setLength(start);
            if (code == 0) {
                code = 1;
                fail("", fault.getMessage(), fault.getMessage());
            }
        }
        Path target = Paths.get((String) request.get("report"));
        Path half = Paths.get(target + ".part");
        Files.write(half, report.append('}').toString().getBytes(StandardCharsets.US_ASCII));
        Files.move(half, target, StandardCopyOption.REPLACE_EXISTING);
        return code;
    }

    private void maps(Map<String, ?> globals) {
        Variables variables = (Variables) bindings.get("variables");
        String changed = variables.changed();
        entry("variablesSet", changed);
        entry("variablesRemoved", Wire.json(variables.removed(), "variables"));
        Variables results = (Variables) bindings.get("resultMap");
        if (results != null) {
            entry("resultMap", results.changed());
        }
        ForkEnvironment environment = (ForkEnvironment) bindings.get("forkEnvironment");
        if (environment != null) {
            entry("forkEnvironment", environment.json());
        }
        Object metadata = Wire.javaOf(globals.get("resultMetadata"));
        if (request.get("resultMetadata") != null && metadata instanceof Map) {
            StringBuilder wire = new StringBuilder("{");
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) metadata).entrySet()) {
                Wire.quote(wire.length() == 1 ? wire : wire.append(','), String.valueOf(entry.getKey()));
                Wire.quote(wire.append(':'), String.valueOf(entry.getValue()));
            }
            entry("resultMetadata", wire.append('}').toString());
        }
    }

    private void values(Map<String, ?> globals, Object value) {
        StringBuilder found = new StringBuilder("{");
        for (Object name : returns()) {
            if (globals.containsKey(name) && !name.equals("resultMetadata")) {
                Wire.quote(found.length() == 1 ? found : found.append(','), (String) name);
                found.append(':').append(Wire.json(globals.get(name), (String) name));
            }
        }
        if (found.length() == 1 && "main".equals(request.get("stage"))) {
            String own = own(value);
            if (own != null) {
                found.append("\"result\":").append(own);
            }
        }
        entry("values", found.append('}').toString());
    }

    private static String own(Object value) {
        try {
            return value == null ? null : Wire.json(value, "result");
        } catch (Wire.NotPortable cannotTravel) {
            return null;
        }
    }

    private void entry(String key, String json) {
        report.append(report.length() == 1 ? "\"" : ",\"").append(key).append("\":").append(json);
    }
}
