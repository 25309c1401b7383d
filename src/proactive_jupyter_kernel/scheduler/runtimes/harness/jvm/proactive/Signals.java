package proactive;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.ow2.proactive.scheduler.common.job.JobVariable;
import org.ow2.proactive.scheduler.signal.Signal;

/** The binding signalapi: signals of the task's own job, with the methods of ProActive's SignalApi. */
public final class Signals {
    private final Services services;

    Signals(Services services) {
        this.services = services;
    }

    private Map<?, ?> ask(String operation, String body) {
        return services.call("signals/" + operation, "{" + body + "}");
    }

    private static String names(Collection<?> names) {
        StringBuilder out = new StringBuilder("\"names\":[");
        for (Object name : names) {
            Wire.quote(out.charAt(out.length() - 1) == '[' ? out : out.append(','), name(name));
        }
        return out.append(']').toString();
    }

    private static Set<String> one(Object name) {
        return Collections.singleton(name(name));
    }

    private static String name(Object name) {
        return Objects.requireNonNull(name, "the name of a signal is a text, not null").toString();
    }

    // --- the job's side: what it waits for

    /** Say that the job takes the signal from now on; one of that name that was received before is dropped. */
    public boolean readyForSignal(Object name) {
        return readyForSignal(name, Collections.emptyList());
    }

    /** The same; the sender gives values for these variables, JobVariable each. */
    public boolean readyForSignal(Object name, List<?> variables) {
        StringBuilder body = new StringBuilder("\"name\":").append(Services.quoted(name(name)));
        body.append(",\"variables\":[");
        for (Object variable : variables) {
            JobVariable each = (JobVariable) variable;
            body.append(body.charAt(body.length() - 1) == '[' ? "" : ",").append('{');
            field(body, "name", each.getName());
            field(body.append(','), "value", each.getValue());
            field(body.append(','), "model", each.getModel());
            field(body.append(','), "description", each.getDescription());
            field(body.append(','), "group", each.getGroup());
            body.append(",\"advanced\":").append(each.isAdvanced());
            body.append(",\"hidden\":").append(each.isHidden()).append('}');
        }
        ask("ready", body.append(']').toString());
        return true;
    }

    private static void field(StringBuilder body, String key, String value) {
        body.append('"').append(key).append("\":").append(Services.quoted(value == null ? "" : value));
    }

    /** Wait for the signal; gives the values that came with it. */
    public Map<String, String> waitFor(Object name) {
        return waitForAny(one(name)).getUpdatedVariables();
    }

    /** Wait for any of the signals; gives the first that came, and its values. */
    public Signal waitForAny(Collection<?> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException(
                    "waitForAny needs the name of a signal: nothing would ever end the wait");
        }
        Map<?, ?> state = ask("state", "");
        while (true) {
            for (Object name : names) {
                Object values = received(state).get(String.valueOf(name));
                if (values != null) {
                    return new Signal(String.valueOf(name), Collections.emptyList(), texts(values));
                }
            }
            long revision = ((Number) state.get("revision")).longValue();
            state = ask("wait", "\"revision\":" + revision + ",\"seconds\":" + Services.PATIENCE_SECONDS);
        }
    }

    /** Whether the signal was received. */
    public boolean isReceived(Object name) {
        return received(ask("state", "")).containsKey(String.valueOf(name));
    }

    /** Those of the signals that were received, each with its values. */
    public Map<String, Map<String, String>> checkForSignals(Collection<?> names) {
        Map<String, Map<String, String>> found = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : received(ask("state", "")).entrySet()) {
            if (names.contains(entry.getKey())) {
                found.put((String) entry.getKey(), texts(entry.getValue()));
            }
        }
        return found;
    }

    /** All signals of the job: received ones by their names, others with ready_ in front. */
    public Set<String> getJobSignals() {
        Set<String> names = new LinkedHashSet<>();
        for (Object name : (List<?>) ask("state", "").get("signals")) {
            names.add((String) name);
        }
        return names;
    }

    private static Map<?, ?> received(Map<?, ?> state) {
        return (Map<?, ?>) state.get("received");
    }

    private static Map<String, String> texts(Object values) {
        Map<String, String> texts = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) values).entrySet()) {
            texts.put((String) entry.getKey(), (String) entry.getValue());
        }
        return texts;
    }

    // --- the sender's side

    public boolean sendSignal(Object name) {
        return sendSignal(name, Collections.emptyMap());
    }

    /** Send a signal to the job, with values for its variables. */
    public boolean sendSignal(Object name, Map<?, ?> values) {
        StringBuilder body = new StringBuilder("\"name\":").append(Services.quoted(name(name)));
        body.append(",\"values\":{");
        for (Map.Entry<?, ?> entry : values.entrySet()) {
            body.append(body.charAt(body.length() - 1) == '{' ? "" : ",");
            field(body, String.valueOf(entry.getKey()), String.valueOf(entry.getValue()));
        }
        ask("send", body.append('}').toString());
        return true;
    }

    public void sendManySignals(Collection<?> names) {
        for (Object name : names) {
            sendSignal(name);
        }
    }

    public void removeSignal(Object name) {
        removeManySignals(one(name));
    }

    public void removeManySignals(Collection<?> names) {
        ask("remove", names(names));
    }

    public void clearJobSignals() {
        removeManySignals(getJobSignals());
    }
}
