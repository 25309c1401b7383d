package org.ow2.proactive.utils;

/** What operating systems have in common, under the names that fork environment scripts compare with. */
public enum OperatingSystemFamily {
    LINUX,
    WINDOWS,
    UNIX,
    DEC_OS,
    MAC
}
