package proactive;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Reflection in few words: the languages are reached by name, so that the archive needs none of them to be built. */
final class Mirror {
    private Mirror() {}

    static Class<?> type(String name) throws ReflectiveOperationException {
        return Class.forName(name, true, Thread.currentThread().getContextClassLoader());
    }

    /** Call the public method of that name and those parameter types; what it throws comes out as it is. */
    static Object call(Class<?> type, Object target, String name, Class<?>[] types, Object... arguments)
            throws Throwable {
        Method method = type.getMethod(name, types);
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    /** Call a method without parameters. */
    static Object call(Object target, String name) throws Throwable {
        return call(target.getClass(), target, name, new Class<?>[0]);
    }

    static Object field(Object target, String name) throws ReflectiveOperationException {
        return target.getClass().getField(name).get(target);
    }
}
