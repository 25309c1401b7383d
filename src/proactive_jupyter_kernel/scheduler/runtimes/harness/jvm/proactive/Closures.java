package proactive;

import java.lang.reflect.InvocationTargetException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Closures that scripts hand over as text, <code>"{k, x -> x + 1}"</code>. A ProActive server compiles them with
 * Groovy, whatever the language of the task; here they need Groovy on the task's class path, where the runtimes of Jython and Scala put it for scripts that use channels.
 */
final class Closures {
    private Closures() {}

    /** The closure; throws IllegalArgumentException where the text is none. */
    static Object compiled(Object given) {
        String text = String.valueOf(given);
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        try {
            if (loader.loadClass("groovy.lang.Closure").isInstance(given)) {
                throw new IllegalArgumentException(
                        "A closure is handed over as text here, because it may run elsewhere; put it in quotes: "
                                + "\"{k, x -> x + 1}\"");
            }
            Class<?> shellType = loader.loadClass("groovy.lang.GroovyShell");
            Object shell = shellType.getConstructor(ClassLoader.class).newInstance(loader);
            Object closure = shellType.getMethod("evaluate", String.class).invoke(shell, "(" + text + ")");
            loader.loadClass("groovy.lang.Closure").cast(closure);
            return closure;
        } catch (ClassNotFoundException absent) {
            throw new IllegalStateException(
                    "The closure " + text + " is Groovy, which was not found; install Groovy, or set GROOVY_HOME");
        } catch (InvocationTargetException error) {
            throw new IllegalArgumentException(text + " is not a closure of Groovy: " + told(error.getCause()));
        } catch (ClassCastException error) {
            throw new IllegalArgumentException(text + " is not a closure of Groovy, such as {k, x -> x + 1}");
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The compiler's message without the place, which is one in the closure, not in the script. */
    private static String told(Throwable error) {
        String message = String.valueOf(error.getMessage());
        Matcher first = Pattern.compile("(?m)^\\S+\\.groovy: \\d+: (.+?)(?: @ line \\d+, column \\d+\\.)?$").matcher(message);
        return first.find() ? first.group(1) : message;
    }

    /** What the closure gives for these arguments. */
    static Object call(Object closure, Object... arguments) {
        try {
            return closure.getClass().getMethod("call", Object[].class).invoke(closure, (Object) arguments);
        } catch (InvocationTargetException error) {
            if (error.getCause() instanceof RuntimeException) {
                throw (RuntimeException) error.getCause();
            }
            throw new IllegalStateException(error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** As Groovy sees a condition: null, false, zero and what is empty are false. */
    static boolean truth(Object value) {
        if (value instanceof Boolean) {
            return (Boolean) value;
        }
        if (value instanceof Number) {
            return ((Number) value).doubleValue() != 0;
        }
        return value != null && !"".equals(value.toString());
    }
}
