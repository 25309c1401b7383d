package proactive;

import java.util.Map;

/** One entry of the binding results. */
public final class TaskResult {
    private final Map<?, ?> parent;
    private final String job;

    TaskResult(Map<?, ?> parent, String job) {
        this.parent = parent;
        this.job = job;
    }

    /** The parent failed. */
    public static final class TaskFailed extends Exception {
        private static final long serialVersionUID = 1;

        TaskFailed(String message) {
            super(message);
        }

        static TaskFailed of(Map<?, ?> failure, String before) {
            return new TaskFailed(before + failure.get("text"));
        }

        @Override
        public String toString() {
            return "TaskFailed: " + getMessage();
        }
    }

    /** The parent's value. Throws TaskFailed if it failed. */
    public Object value() throws TaskFailed {
        if (hadException()) {
            throw (TaskFailed) getException();
        }
        return Wire.value(parent.get("value"));
    }

    /** What a script that hands on the entry itself hands on: the value, or the text of the failure. */
    Object portable() {
        return hadException() ? toString() : Wire.value(parent.get("value"));
    }

    public Object getValue() throws TaskFailed {
        return value();
    }

    public boolean hadException() {
        return parent.get("failure") != null;
    }

    public Throwable getException() {
        Map<?, ?> failure = (Map<?, ?>) parent.get("failure");
        return failure == null ? null : TaskFailed.of(failure, "task " + parent.get("taskName") + " failed: ");
    }

    @SuppressWarnings("unchecked")
    public Map<String, String> getMetadata() {
        return (Map<String, String>) parent.get("metadata");
    }

    public Id getTaskId() {
        return new Id();
    }

    /** As TaskResult.toString of ProActive has it. */
    @Override
    public String toString() {
        Map<?, ?> failure = (Map<?, ?>) parent.get("failure");
        if (failure != null) {
            return String.valueOf(failure.get("text")).trim().replaceAll("\\s+", " ");
        }
        Object value = Wire.value(parent.get("value"));
        return value == null ? "Result not available" : value.toString();
    }

    /** The id of a parent. */
    public final class Id {
        public String value() {
            return String.valueOf(parent.get("taskId"));
        }

        public String getReadableName() {
            return String.valueOf(parent.get("taskName"));
        }

        @Override
        public String toString() {
            return job + "t" + value();
        }
    }
}
