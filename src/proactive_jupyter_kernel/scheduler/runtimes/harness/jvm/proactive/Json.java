package proactive;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON: no library, since loading one would take longer than the rest of a task's start. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Maps, lists, strings, numbers, booleans and null. Throws IllegalArgumentException on what is no JSON. */
    static Object parse(String text) {
        Json reader = new Json(text);
        Object value = reader.value();
        reader.skip();
        if (reader.at != text.length()) {
            throw reader.fault();
        }
        return value;
    }

    private Object value() {
        skip();
        char first = text.charAt(at);
        switch (first) {
            case '{':
                return object();
            case '[':
                return list();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        skip();
        if (accept('}')) {
            return map;
        }
        do {
            skip();
            String key = string();
            skip();
            expect(':');
            map.put(key, value());
            skip();
        } while (accept(','));
        expect('}');
        return map;
    }

    private List<Object> list() {
        List<Object> items = new ArrayList<>();
        at++;
        skip();
        if (accept(']')) {
            return items;
        }
        do {
            items.add(value());
            skip();
        } while (accept(','));
        expect(']');
        return items;
    }

    private String string() {
        expect('"');
        int start = at;
        int end = text.indexOf('"', at);
        if (text.lastIndexOf('\\', end) < start) {
            at = end + 1;
            return text.substring(start, end);
        }
        StringBuilder built = new StringBuilder();
        while (true) {
            char next = text.charAt(at++);
            if (next == '"') {
                return built.toString();
            }
            built.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char kind = text.charAt(at++);
        switch (kind) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default:
                return kind;
        }
    }

    private Object number() {
        int start = at;
        boolean whole = true;
        while (at < text.length() && "+-.0123456789Ee".indexOf(text.charAt(at)) >= 0) {
            whole &= ".Ee".indexOf(text.charAt(at)) < 0;
            at++;
        }
        String found = text.substring(start, at);
        if (found.isEmpty()) {
            throw fault();
        }
        return whole ? narrow(new BigInteger(found)) : (Object) Double.valueOf(found);
    }

    /** The smallest of Integer, Long and BigDecimal that holds the number, as ProActive's gateway to Python has it. */
    static Object narrow(BigInteger number) {
        if (number.bitLength() < 32) {
            return number.intValue();
        }
        return number.bitLength() < 64 ? (Object) number.longValue() : new BigDecimal(number);
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw fault();
        }
        at += word.length();
        return value;
    }

    private void skip() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private boolean accept(char wanted) {
        if (at < text.length() && text.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char wanted) {
        if (!accept(wanted)) {
            throw fault();
        }
    }

    private IllegalArgumentException fault() {
        return new IllegalArgumentException("not JSON at position " + at);
    }
}
