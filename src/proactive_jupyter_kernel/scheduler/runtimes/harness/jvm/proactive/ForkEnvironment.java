package proactive;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The binding forkEnvironment: how the task's process will be started. What only a Java machine knows is kept, unused. */
public final class ForkEnvironment {
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> command = new ArrayList<>();
    private final List<String> jvmArguments = new ArrayList<>();
    private final List<String> classpath = new ArrayList<>();
    private String workingDir;
    private String javaHome;

    ForkEnvironment(Map<?, ?> start) {
        workingDir = text(start.get("workingDir"));
        javaHome = text(start.get("javaHome"));
        if (start.get("systemEnvironment") != null) {
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) start.get("systemEnvironment")).entrySet()) {
                addSystemEnvironmentVariable(entry.getKey(), entry.getValue());
            }
        }
        add(command, start.get("preJavaCommand"));
        add(jvmArguments, start.get("jvmArguments"));
        add(classpath, start.get("classpath"));
    }

    private static void add(List<String> list, Object words) {
        if (words != null) {
            for (Object word : (Collection<?>) words) {
                list.add(String.valueOf(word));
            }
        }
    }

    private static String text(Object value) {
        return value == null || value.toString().isEmpty() ? null : value.toString();
    }

    public void setWorkingDir(Object path) {
        workingDir = text(path);
    }

    public String getWorkingDir() {
        return workingDir;
    }

    public void addSystemEnvironmentVariable(Object name, Object value) {
        environment.put(String.valueOf(name), String.valueOf(value));
    }

    public String getSystemEnvironmentVariable(Object name) {
        return environment.get(String.valueOf(name));
    }

    public Map<String, String> getSystemEnvironment() {
        return new LinkedHashMap<>(environment);
    }

    public void setPreJavaCommand(Collection<?> words) {
        command.clear();
        add(command, words);
    }

    public void addPreJavaCommand(Object word) {
        command.add(String.valueOf(word));
    }

    public List<String> getPreJavaCommand() {
        return new ArrayList<>(command);
    }

    public void setJavaHome(Object path) {
        javaHome = text(path);
    }

    public String getJavaHome() {
        return javaHome;
    }

    public void addJVMArgument(Object argument) {
        jvmArguments.add(String.valueOf(argument));
    }

    public List<String> getJVMArguments() {
        return new ArrayList<>(jvmArguments);
    }

    public void addAdditionalClasspath(Object... paths) {
        add(classpath, Arrays.asList(paths));
    }

    public List<String> getAdditionalClasspath() {
        return new ArrayList<>(classpath);
    }

    public void setDockerWindowsToLinux(boolean wanted) {
        // Windows paths are no matter here.
    }

    public boolean isDockerWindowsToLinux() {
        return false;
    }

    public static String convertToLinuxPath(Object path) {
        return String.valueOf(path);
    }

    /** As the report has it. */
    String json() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("workingDir", workingDir == null ? "" : workingDir);
        report.put("systemEnvironment", environment);
        report.put("preJavaCommand", command);
        report.put("jvmArguments", jvmArguments);
        return Wire.json(report, "forkEnvironment");
    }
}
