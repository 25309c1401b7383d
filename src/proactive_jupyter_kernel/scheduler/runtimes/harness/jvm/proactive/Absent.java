package proactive;

/** Stands where a ProActive server has a Java client, and says so when a script uses it. */
public final class Absent {
    private final String name;

    Absent(String name) {
        this.name = name;
    }

    public Object connect(Object... arguments) {
        throw refusal();
    }

    /** Groovy calls it for every method that is not there. */
    public Object methodMissing(String method, Object arguments) {
        throw refusal();
    }

    /** Jython calls it for every attribute that is not there. */
    public Object __getattr__(String attribute) {
        throw refusal();
    }

    private IllegalStateException refusal() {
        return new IllegalStateException(
                name + " is a Java client of a ProActive server; the embedded scheduler has none");
    }
}
