package org.ow2.proactive.scripting.helper.selection;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The checks that selection scripts use most, under the name that they know them by. */
public final class SelectionUtils {
    private SelectionUtils() {}

    private static boolean contains(String text, String part) {
        return text.toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT));
    }

    public static boolean checkJavaProperty(String name, String pattern) {
        String value = System.getProperty(name);
        return value != null && Pattern.matches(pattern, value);
    }

    public static boolean checkOSName(String name) {
        return contains(System.getProperty("os.name"), name);
    }

    public static boolean checkOSArch(String name) {
        return contains(System.getProperty("os.arch"), name);
    }

    public static boolean checkOSVersion(String version) {
        return System.getProperty("os.version").equalsIgnoreCase(version);
    }

    public static boolean checkHostName(String pattern) {
        try {
            String host = InetAddress.getLocalHost().getHostName();
            return contains(host, pattern) || Pattern.matches(pattern, host);
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    public static boolean checkExec(String program) {
        String path = System.getenv("PATH") == null ? "" : System.getenv("PATH");
        return Stream.of(path.split(Pattern.quote(File.pathSeparator)))
                .anyMatch(folder -> new File(folder, program).canExecute());
    }

    public static boolean checkFileExist(String... parts) {
        return new File(String.join(File.separator, parts)).exists();
    }

    public static boolean checkFreeMemory(long bytes) {
        Object system = ManagementFactory.getOperatingSystemMXBean();
        return system instanceof com.sun.management.OperatingSystemMXBean
                && ((com.sun.management.OperatingSystemMXBean) system).getFreePhysicalMemorySize() >= bytes;
    }

    public static boolean checkFreeSpaceDiskAvailable(long bytes, String path) {
        return new File(path).getUsableSpace() >= bytes;
    }

    public static boolean checkFreeSpaceDiskAvailable(long bytes) {
        return checkFreeSpaceDiskAvailable(bytes, ".");
    }

    public static boolean checkFreeSpaceTmpDir(long bytes) {
        return checkFreeSpaceDiskAvailable(bytes, System.getProperty("java.io.tmpdir"));
    }
}
