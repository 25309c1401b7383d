package proactive;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The bindings variables and resultMap: a map that knows what the script put, changed in place and removed. */
public final class Variables extends LinkedHashMap<Object, Object> {
    private static final long serialVersionUID = 1;

    private final transient String name;
    private final transient Map<String, String> before = new LinkedHashMap<>();
    private final transient Set<Object> put = new HashSet<>();

    Variables(String name, Map<?, ?> wires) {
        this.name = name;
        for (Map.Entry<?, ?> entry : wires.entrySet()) {
            Object value = Wire.value(entry.getValue());
            super.put(entry.getKey(), value);
            before.put((String) entry.getKey(), Wire.json(value, name));
        }
    }

    /** A text of the script's language, such as Groovy's GString, is as good a key as a String. */
    private static Object plain(Object key) {
        Object known = Wire.javaOf(key);
        return known instanceof CharSequence ? known.toString() : known;
    }

    private String place(Object key) {
        return name + "['" + key + "']";
    }

    @Override
    public Object put(Object key, Object value) {
        Object known = plain(key);
        if (!(known instanceof String)) {
            throw new IllegalArgumentException("a key of " + name + " is a text, not " + known);
        }
        Wire.json(value, place(known));
        put.add(known);
        return super.put(known, value);
    }

    @Override
    public void putAll(Map<?, ?> other) {
        for (Map.Entry<?, ?> entry : other.entrySet()) {
            put(entry.getKey(), entry.getValue());
        }
    }

    @Override
    public Object get(Object key) {
        return super.get(plain(key));
    }

    @Override
    public boolean containsKey(Object key) {
        return super.containsKey(plain(key));
    }

    @Override
    public Object remove(Object key) {
        return super.remove(plain(key));
    }

    /** What was put or changed, as a JSON object. */
    String changed() {
        StringBuilder out = new StringBuilder("{");
        for (Map.Entry<Object, Object> entry : entrySet()) {
            String key = String.valueOf(entry.getKey());
            String wire = Wire.json(entry.getValue(), place(key));
            if (put.contains(key) || !wire.equals(before.get(key))) {
                Wire.quote(out.length() == 1 ? out : out.append(','), key);
                out.append(':').append(wire);
            }
        }
        return out.append('}').toString();
    }

    /** Names that are gone. */
    List<String> removed() {
        List<String> gone = new ArrayList<>(before.keySet());
        gone.removeAll(keySet());
        return gone;
    }
}
