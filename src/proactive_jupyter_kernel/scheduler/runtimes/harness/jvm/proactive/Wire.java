package proactive;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.Serializable;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Values between Java and the wire form that workflow/values.py describes. */
public final class Wire {
    private static final String TAG = "$type";
    private static final int MAX_DEPTH = 100;

    /** How a language's own values become those of Java. */
    abstract static class Language {
        /** The value of Java, or the value itself. */
        abstract Object javaOf(Object value);
    }

    /** Set by the language's harness; no lambda, since the first one of a process takes longer than all the rest. */
    static Language language;

    private final StringBuilder out = new StringBuilder();
    private final Set<Object> around = Collections.newSetFromMap(new IdentityHashMap<>());

    private Wire() {}

    static Object javaOf(Object value) {
        return language == null ? value : language.javaOf(value);
    }

    /** The value that JSON as read by Json stands for. */
    static Object value(Object json) {
        if (json instanceof List) {
            List<Object> items = new ArrayList<>();
            for (Object item : (List<?>) json) {
                items.add(value(item));
            }
            return items;
        }
        if (!(json instanceof Map)) {
            return json;
        }
        Map<?, ?> map = (Map<?, ?>) json;
        if (map.containsKey(TAG)) {
            return tagged((String) map.get(TAG), map);
        }
        Map<Object, Object> values = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            values.put(entry.getKey(), value(entry.getValue()));
        }
        return values;
    }

    private static Object tagged(String tag, Map<?, ?> map) {
        Object inner = map.get("value");
        switch (tag) {
            case "bytes":
                return Base64.getDecoder().decode((String) inner);
            case "float":
                return real((String) inner);
            case "decimal":
                return new BigDecimal((String) inner);
            case "set":
                return new LinkedHashSet<>((List<?>) value(inner));
            case "dict":
                Map<Object, Object> values = new LinkedHashMap<>();
                for (Object pair : (List<?>) inner) {
                    values.put(value(((List<?>) pair).get(0)), value(((List<?>) pair).get(1)));
                }
                return values;
            default:
                return object((String) inner, (String) map.get("java"));
        }
    }

    private static Double real(String text) {
        switch (text) {
            case "inf":
                return Double.POSITIVE_INFINITY;
            case "-inf":
                return Double.NEGATIVE_INFINITY;
            case "nan":
                return Double.NaN;
            default:
                return Double.valueOf(text);
        }
    }

    /** An object that another task of Java serialized; its text where this process does not know its class. */
    private static Object object(String text, String serialized) {
        if (serialized == null) {
            return new Opaque(text);
        }
        InputStream bytes = new ByteArrayInputStream(Base64.getDecoder().decode(serialized));
        try (ObjectInputStream stream = new ContextStream(bytes)) {
            return stream.readObject();
        } catch (IOException | ClassNotFoundException | LinkageError | RuntimeException unknown) {
            return new Opaque(text);
        }
    }

    /** Finds the classes of the script's language, too. */
    private static final class ContextStream extends ObjectInputStream {
        ContextStream(InputStream bytes) throws IOException {
            super(bytes);
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass type) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(type.getName(), false, Thread.currentThread().getContextClassLoader());
            } catch (ClassNotFoundException unknown) {
                return super.resolveClass(type);
            }
        }
    }

    /** An object of another language: all there is to see is its text. */
    public static final class Opaque implements Serializable {
        private static final long serialVersionUID = 1;
        private final String text;

        Opaque(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A value cannot travel between tasks; the message names it. */
    public static final class NotPortable extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotPortable(String path, Object value, String reason, String remedy) {
            super(path + " (" + value.getClass().getName() + ") cannot travel between tasks: " + reason + "; " + remedy);
        }
    }

    /** The value as JSON; `path` is what messages call it. Throws NotPortable. */
    static String json(Object value, String path) {
        Wire writer = new Wire();
        writer.write(value, path);
        return writer.out.toString();
    }

    private void write(Object given, String path) {
        Object value = javaOf(given);
        if (value == null || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Number) {
            number((Number) value, path);
        } else if (value instanceof CharSequence || value instanceof Character) {
            text(value, path);
        } else if (value instanceof byte[]) {
            tag("bytes", Base64.getEncoder().encodeToString((byte[]) value));
        } else if (value instanceof TaskResult) {
            write(((TaskResult) value).portable(), path);
        } else if (value instanceof Opaque) {
            tag("object", value.toString());
        } else if (value instanceof Map || value instanceof Collection || value.getClass().isArray()) {
            container(value, path);
        } else {
            serialized(value, path);
        }
    }

    private void number(Number value, String path) {
        if (value instanceof Double || value instanceof Float) {
            double number = value instanceof Float ? Double.parseDouble(value.toString()) : value.doubleValue();
            if (Double.isNaN(number) || Double.isInfinite(number)) {
                tag("float", Double.toString(number));
            } else {
                out.append(number);
            }
        } else if (value instanceof BigDecimal) {
            tag("decimal", value.toString());
        } else if (value instanceof BigInteger && ((BigInteger) value).bitLength() > 63) {
            tag("decimal", value.toString());
        } else if (value instanceof BigInteger || value instanceof Long || value instanceof Integer
                || value instanceof Short || value instanceof Byte) {
            out.append(value);
        } else {
            serialized(value, path);
        }
    }

    private void text(Object value, String path) {
        String text = value.toString();
        for (int at = 0; at < text.length(); at++) {
            char found = text.charAt(at);
            if (Character.isSurrogate(found)) {
                boolean pair = Character.isHighSurrogate(found) && at + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(at + 1));
                if (!pair) {
                    throw new NotPortable(path, value, "it holds half a surrogate pair, no real text", "pass its bytes");
                }
                at++;
            }
        }
        quote(out, text);
    }

    private void container(Object value, String path) {
        if (!around.add(value)) {
            throw new NotPortable(path, value, "it contains itself", "take the cycle out");
        }
        if (around.size() > MAX_DEPTH) {
            throw new NotPortable(path, value, "it lies more than " + MAX_DEPTH + " levels deep",
                    "flatten it, or pass it as text");
        }
        if (value instanceof Map) {
            map((Map<?, ?>) value, path);
        } else if (value instanceof Set) {
            out.append("{\"" + TAG + "\":\"set\",\"value\":");
            list(((Set<?>) value).toArray(), path);
            out.append('}');
        } else {
            list(value instanceof Collection ? ((Collection<?>) value).toArray() : value, path);
        }
        around.remove(value);
    }

    private void list(Object array, String path) {
        out.append('[');
        for (int index = 0; index < Array.getLength(array); index++) {
            out.append(index == 0 ? "" : ",");
            write(Array.get(array, index), path + "[" + index + "]");
        }
        out.append(']');
    }

    private void map(Map<?, ?> map, String path) {
        boolean plain = true;
        for (Object key : map.keySet()) {
            Object known = javaOf(key);
            plain &= known instanceof CharSequence && !TAG.contentEquals((CharSequence) known);
        }
        out.append(plain ? "{" : "{\"" + TAG + "\":\"dict\",\"value\":[");
        String between = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            String inner = path + "[" + shown(entry.getKey()) + "]";
            out.append(between).append(plain ? "" : "[");
            write(entry.getKey(), inner);
            out.append(plain ? ':' : ',');
            write(entry.getValue(), inner);
            out.append(plain ? "" : "]");
            between = ",";
        }
        out.append(plain ? "}" : "]}");
    }

    private void serialized(Object value, String path) {
        if (!(value instanceof Serializable) || value.getClass().getName().startsWith("org.python.")) {
            throw new NotPortable(path, value, "its class has no form in other tasks", "build it of lists, maps and texts");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(value);
        } catch (IOException | RuntimeException fault) {
            throw new NotPortable(path, value, "it cannot be serialized (" + fault + ")",
                    "build it of lists, maps and texts");
        }
        out.append("{\"" + TAG + "\":\"object\",\"value\":");
        quote(out, String.valueOf(value));
        out.append(",\"java\":\"").append(Base64.getEncoder().encodeToString(bytes.toByteArray())).append("\"}");
    }

    private void tag(String kind, String value) {
        out.append("{\"" + TAG + "\":\"").append(kind).append("\",\"value\":");
        quote(out, value);
        out.append('}');
    }

    private static String shown(Object key) {
        String text = key instanceof CharSequence ? "'" + key + "'" : String.valueOf(key);
        return text.length() <= 40 ? text : text.substring(0, 39) + "…";
    }

    /** Append the text as JSON, in ASCII. */
    static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char found = text.charAt(at);
            if (found == '"' || found == '\\') {
                out.append('\\').append(found);
            } else if (found >= ' ' && found < 127) {
                out.append(found);
            } else {
                String hex = Integer.toHexString(found);
                out.append("\\u").append("0000", 0, 4 - hex.length()).append(hex);
            }
        }
        out.append('"');
    }
}
