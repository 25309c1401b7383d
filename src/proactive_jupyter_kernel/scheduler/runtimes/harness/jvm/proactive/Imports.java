package proactive;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Imports of classes that are not there and that the script does not use.
 *
 * <p>Groovy refuses the whole script for them. Public workflows, and those that ProActive's Python client writes, carry
 * such imports of a server's libraries along.
 */
final class Imports {
    private static final Pattern IMPORT =
            Pattern.compile("(?m)^[ \\t]*import[ \\t]+((?:\\w+\\.)+(\\w+))[ \\t]*;?[ \\t]*$");

    private Imports() {}

    /** The code without them; every line stays where it was. */
    static String withoutUnused(String code, ClassLoader loader) {
        Matcher found = IMPORT.matcher(code);
        StringBuffer kept = new StringBuffer();
        while (found.find()) {
            boolean unused = !used(code, found.group(2)) && !there(found.group(1), loader);
            found.appendReplacement(kept, unused ? "" : Matcher.quoteReplacement(found.group()));
        }
        return found.appendTail(kept).toString();
    }

    /** Whether the name stands anywhere but in the one import. */
    private static boolean used(String code, String name) {
        Matcher found = Pattern.compile("\\b" + name + "\\b").matcher(code);
        return found.find() && found.find();
    }

    private static boolean there(String name, ClassLoader loader) {
        try {
            Class.forName(name, false, loader);
            return true;
        } catch (ClassNotFoundException | LinkageError absent) {
            // A nested class is imported with dots.
            int dot = name.lastIndexOf('.');
            int outer = name.lastIndexOf('.', dot - 1);
            return outer > 0 && Character.isUpperCase(name.charAt(outer + 1))
                    && there(name.substring(0, dot) + "$" + name.substring(dot + 1), loader);
        }
    }
}
