package org.ow2.proactive.scheduler.signal;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.ow2.proactive.scheduler.common.job.JobVariable;

/** A signal of a job, under the name and with the methods that scripts know. */
public final class Signal implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String name;
    private final transient List<JobVariable> inputVariables;
    private final Map<String, String> updatedVariables;

    public Signal(String name, List<JobVariable> inputVariables, Map<String, String> updatedVariables) {
        this.name = name;
        this.inputVariables = inputVariables;
        this.updatedVariables = updatedVariables;
    }

    public String getName() {
        return name;
    }

    /** What the job asked its sender for. */
    public List<JobVariable> getInputVariables() {
        return inputVariables;
    }

    /** What the sender gave. */
    public Map<String, String> getUpdatedVariables() {
        return updatedVariables;
    }

    /** The name alone, as on a server. */
    @Override
    public String toString() {
        return name;
    }
}
