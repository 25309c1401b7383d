package org.ow2.proactive.utils;

import java.util.Locale;

/** The operating system of a value of the property os.name, as fork environment scripts ask for it. */
public enum OperatingSystem {
    // The order counts: the first whose label begins the name is meant.
    LINUX_OS("Linux", OperatingSystemFamily.LINUX),
    MAC_OSX("Mac OS X", OperatingSystemFamily.MAC),
    MAC_OS("Mac OS", OperatingSystemFamily.MAC),
    WINDOWS_10("Windows 10", OperatingSystemFamily.WINDOWS),
    WINDOWS_11("Windows 11", OperatingSystemFamily.WINDOWS),
    WINDOWS_GENERIC("Windows", OperatingSystemFamily.WINDOWS),
    FREEBSD("FreeBSD", OperatingSystemFamily.UNIX),
    SUN_OS("SunOS", OperatingSystemFamily.UNIX),
    AIX("AIX", OperatingSystemFamily.UNIX),
    HP_UX("HP-UX", OperatingSystemFamily.UNIX);

    private final String label;
    private final OperatingSystemFamily family;

    OperatingSystem(String label, OperatingSystemFamily family) {
        this.label = label;
        this.family = family;
    }

    public String getLabel() {
        return label;
    }

    public OperatingSystemFamily getFamily() {
        return family;
    }

    /** The system of that name, null if none is known. */
    public static OperatingSystem resolve(String name) {
        for (OperatingSystem system : values()) {
            if (name.toLowerCase(Locale.ROOT).startsWith(system.label.toLowerCase(Locale.ROOT))) {
                return system;
            }
        }
        return null;
    }

    public static OperatingSystem resolveOrError(String name) {
        OperatingSystem system = resolve(name);
        if (system == null) {
            throw new IllegalStateException("The operating system '" + name + "' is not known");
        }
        return system;
    }
}
