package org.hyperic.sigar;

/** The owner of a process. */
public final class ProcCred {
    private final long user;
    private final long group;

    ProcCred(long user, long group) {
        this.user = user;
        this.group = group;
    }

    public long getUid() {
        return user;
    }

    public long getGid() {
        return group;
    }
}
