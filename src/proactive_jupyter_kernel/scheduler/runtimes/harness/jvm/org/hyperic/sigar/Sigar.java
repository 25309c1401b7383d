package org.hyperic.sigar;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/** What fork environment scripts of containers ask of Sigar: under which user and group the container shall run. */
public final class Sigar {
    public long getPid() {
        return Long.parseLong(ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
    }

    /** The user and the group of a process, on systems that show it in /proc. */
    public ProcCred getProcCred(long process) throws IOException {
        Path folder = Paths.get("/proc", String.valueOf(process));
        return new ProcCred(number(folder, "unix:uid"), number(folder, "unix:gid"));
    }

    private static long number(Path folder, String attribute) throws IOException {
        return ((Number) Files.getAttribute(folder, attribute)).longValue();
    }

    public void close() {}
}
