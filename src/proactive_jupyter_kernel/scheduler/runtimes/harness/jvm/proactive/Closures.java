package proactive;

import java.lang.reflect.InvocationTargetException;

/**
 * Closures that scripts hand over as text, <code>"{k, x -> x + 1}"</code>. A ProActive server compiles them with
 * Groovy, whatever the language of the task; here they need Groovy on the task's class path.
 */
final class Closures {
    private Closures() {}

    /** The closure; throws IllegalArgumentException where the text is none. */
    static Object compiled(String text) {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        try {
            Class<?> shellType = loader.loadClass("groovy.lang.GroovyShell");
            Object shell = shellType.getConstructor(ClassLoader.class).newInstance(loader);
            Object closure = shellType.getMethod("evaluate", String.class).invoke(shell, "(" + text + ")");
            loader.loadClass("groovy.lang.Closure").cast(closure);
            return closure;
        } catch (ClassNotFoundException absent) {
            throw new IllegalStateException(
                    "The closure " + text + " is Groovy, and this task's language has no Groovy; write the task in Groovy");
        } catch (InvocationTargetException error) {
            throw new IllegalArgumentException(text + " is not a closure of Groovy: " + error.getCause().getMessage());
        } catch (ClassCastException error) {
            throw new IllegalArgumentException(text + " is not a closure of Groovy, such as {k, x -> x + 1}");
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
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
