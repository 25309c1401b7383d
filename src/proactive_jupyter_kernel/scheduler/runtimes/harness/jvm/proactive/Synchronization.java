package proactive;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * The binding synchronizationapi: channels of keys and values that all tasks share, with the methods of ProActive's
 * Synchronization store. Each change reads the channel, computes, and writes if nobody else wrote in the meantime; so
 * closures run here, and the scheduler needs no Groovy.
 */
public final class Synchronization {
    private static final long FOREVER = Long.MAX_VALUE;

    private final Services services;

    Synchronization(Services services) {
        this.services = services;
    }

    /** Some entries at one moment. */
    private static final class View {
        final long revision;
        final Map<String, Object> entries = new LinkedHashMap<>();

        View(Map<?, ?> answer) {
            revision = ((Number) answer.get("revision")).longValue();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) answer.get("entries")).entrySet()) {
                entries.put((String) entry.getKey(), Wire.value(entry.getValue()));
            }
        }
    }

    /** Changes the entries and gives what the method returns. Runs again if another task was faster. */
    private abstract static class Change<R> {
        abstract R apply(Map<String, Object> entries);
    }

    private Map<?, ?> ask(String operation, Object channel, String more) {
        return services.call("channels/" + operation, "{\"channel\":" + Services.quoted(name(channel)) + more + "}");
    }

    private static String name(Object text) {
        return Objects.requireNonNull(text, "a channel and a key are texts, not null").toString();
    }

    private View read(Object channel) {
        return new View(ask("read", channel, ""));
    }

    private <R> R change(Object channel, Change<R> change) {
        while (true) {
            View view = read(channel);
            Map<String, Object> entries = new LinkedHashMap<>(view.entries);
            R result = change.apply(entries);
            if (written(channel, view, entries)) {
                return result;
            }
        }
    }

    private boolean written(Object channel, View view, Map<String, Object> entries) {
        StringBuilder put = new StringBuilder("{");
        StringBuilder removed = new StringBuilder("[");
        for (Map.Entry<String, Object> entry : entries.entrySet()) {
            String place = "synchronizationapi['" + entry.getKey() + "']";
            String wire = Wire.json(entry.getValue(), place);
            Object before = view.entries.get(entry.getKey());
            if (!view.entries.containsKey(entry.getKey()) || !wire.equals(Wire.json(before, place))) {
                Wire.quote(put.length() == 1 ? put : put.append(','), entry.getKey());
                put.append(':').append(wire);
            }
        }
        for (String key : view.entries.keySet()) {
            if (!entries.containsKey(key)) {
                Wire.quote(removed.length() == 1 ? removed : removed.append(','), key);
            }
        }
        if (put.length() == 1 && removed.length() == 1) {
            return true;
        }
        String more = ",\"revision\":" + view.revision + ",\"put\":" + put + "},\"removed\":" + removed + "]";
        return (Boolean) ask("change", channel, more).get("done");
    }

    // --- channels

    /** Create a channel, empty, also if there was one of that name. */
    public void createChannel(Object channel, boolean persistent) {
        deleteChannel(channel);
        createChannelIfAbsent(channel, persistent);
    }

    /** Create a channel if there is none of that name; whether it was created. */
    public boolean createChannelIfAbsent(Object channel, boolean persistent) {
        return (Boolean) ask("create", channel, ",\"persistent\":" + persistent).get("done");
    }

    /** Remove a channel with all its entries; whether there was one. */
    public boolean deleteChannel(Object channel) {
        return (Boolean) ask("delete", channel, "").get("done");
    }

    public boolean channelExists(Object channel) {
        return ((Collection<?>) ask("names", "", "").get("names")).contains(name(channel));
    }

    // --- reading

    public int size(Object channel) {
        return read(channel).entries.size();
    }

    public boolean isEmpty(Object channel) {
        return read(channel).entries.isEmpty();
    }

    public boolean containsKey(Object channel, Object key) {
        return read(channel).entries.containsKey(name(key));
    }

    public boolean containsValue(Object channel, Object value) {
        return read(channel).entries.containsValue(value);
    }

    public Object get(Object channel, Object key) {
        return read(channel).entries.get(name(key));
    }

    public Object getOrDefault(Object channel, Object key, Object value) {
        Map<String, Object> entries = read(channel).entries;
        return entries.containsKey(name(key)) ? entries.get(name(key)) : value;
    }

    public Set<String> keySet(Object channel) {
        return new LinkedHashSet<>(read(channel).entries.keySet());
    }

    public Collection<Object> values(Object channel) {
        return new ArrayList<>(read(channel).entries.values());
    }

    public Set<Map.Entry<String, Object>> entrySet(Object channel) {
        return read(channel).entries.entrySet();
    }

    public void forEach(Object channel, Object closure) {
        Object action = Closures.compiled(closure);
        for (Map.Entry<String, Object> entry : read(channel).entries.entrySet()) {
            Closures.call(action, entry.getKey(), entry.getValue());
        }
    }

    // --- changing

    public Object put(Object channel, Object key, Object value) {
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                return entries.put(name(key), value);
            }
        });
    }

    public void putAll(Object channel, Map<?, ?> values) {
        change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                for (Map.Entry<?, ?> entry : values.entrySet()) {
                    entries.put(name(entry.getKey()), entry.getValue());
                }
                return null;
            }
        });
    }

    public Object putIfAbsent(Object channel, Object key, Object value) {
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                return entries.putIfAbsent(name(key), value);
            }
        });
    }

    public Object remove(Object channel, Object key) {
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                return entries.remove(name(key));
            }
        });
    }

    public boolean remove(Object channel, Object key, Object value) {
        return change(channel, new Change<Boolean>() {
            @Override
            Boolean apply(Map<String, Object> entries) {
                return entries.remove(name(key), value);
            }
        });
    }

    public Object replace(Object channel, Object key, Object value) {
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                return entries.replace(name(key), value);
            }
        });
    }

    public boolean replace(Object channel, Object key, Object before, Object value) {
        return change(channel, new Change<Boolean>() {
            @Override
            Boolean apply(Map<String, Object> entries) {
                return entries.replace(name(key), before, value);
            }
        });
    }

    public void clear(Object channel) {
        change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                entries.clear();
                return null;
            }
        });
    }

    public void replaceAll(Object channel, Object closure) {
        Object function = Closures.compiled(closure);
        change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                for (Map.Entry<String, Object> entry : entries.entrySet()) {
                    entry.setValue(Closures.call(function, entry.getKey(), entry.getValue()));
                }
                return null;
            }
        });
    }

    public Object computeIfAbsent(Object channel, Object key, Object closure) {
        Object function = Closures.compiled(closure);
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                if (entries.get(name(key)) == null) {
                    set(entries, name(key), Closures.call(function, name(key)));
                }
                return entries.get(name(key));
            }
        });
    }

    public Object computeIfPresent(Object channel, Object key, Object closure) {
        Object function = Closures.compiled(closure);
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                Object before = entries.get(name(key));
                return before == null ? null : set(entries, name(key), Closures.call(function, name(key), before));
            }
        });
    }

    public Object compute(Object channel, Object key, Object closure) {
        Object function = Closures.compiled(closure);
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                return set(entries, name(key), Closures.call(function, name(key), entries.get(name(key))));
            }
        });
    }

    public Object merge(Object channel, Object key, Object value, Object closure) {
        Object function = Closures.compiled(closure);
        return change(channel, new Change<Object>() {
            @Override
            Object apply(Map<String, Object> entries) {
                Object before = entries.get(name(key));
                return set(entries, name(key), before == null ? value : Closures.call(function, before, value));
            }
        });
    }

    /** As a map's methods do: null removes the key. */
    private static Object set(Map<String, Object> entries, String key, Object value) {
        if (value == null) {
            entries.remove(key);
        } else {
            entries.put(key, value);
        }
        return value;
    }

    // --- waiting

    /** Wait until the predicate, a closure of key and value, is true. */
    public boolean waitUntil(Object channel, Object key, Object predicate) throws TimeoutException {
        awaitThen(channel, name(key), FOREVER, predicate, null);
        return true;
    }

    /** The same, for so many milliseconds at most. */
    public boolean waitUntil(Object channel, Object key, long timeout, Object predicate) throws TimeoutException {
        awaitThen(channel, name(key), timeout, predicate, null);
        return true;
    }

    /** Wait until the predicate is true and set, at the same moment, what the other closure makes of the value; gives the value before. */
    public Object waitUntilThen(Object channel, Object key, Object predicate, Object then) throws TimeoutException {
        return awaitThen(channel, name(key), FOREVER, predicate, then);
    }

    /** The same, for so many milliseconds at most. */
    public Object waitUntilThen(Object channel, Object key, long timeout, Object predicate, Object then)
            throws TimeoutException {
        return awaitThen(channel, name(key), timeout, predicate, then);
    }

    private Object awaitThen(Object channel, String key, long timeout, Object predicate, Object then)
            throws TimeoutException {
        Object condition = Closures.compiled(predicate);
        Object function = then == null ? null : Closures.compiled(then);
        long begin = System.nanoTime();
        View view = read(channel);
        while (true) {
            Object value = view.entries.get(key);
            if (Closures.truth(Closures.call(condition, key, value))) {
                if (function == null) {
                    return value;
                }
                Map<String, Object> entries = new LinkedHashMap<>(view.entries);
                set(entries, key, Closures.call(function, key, value));
                if (written(channel, view, entries)) {
                    return value;
                }
                view = read(channel);
                continue;
            }
            long left = timeout == FOREVER ? FOREVER : timeout - (System.nanoTime() - begin) / 1_000_000;
            if (left <= 0) {
                throw new TimeoutException(
                        "The key '" + key + "' of the channel '" + channel + "' was not what " + predicate
                                + " asks for within " + timeout + " ms");
            }
            double seconds = Math.min(left / 1000.0, Services.PATIENCE_SECONDS);
            String more = ",\"revision\":" + view.revision + ",\"seconds\":" + seconds;
            view = new View(ask("wait", channel, more));
        }
    }
}
