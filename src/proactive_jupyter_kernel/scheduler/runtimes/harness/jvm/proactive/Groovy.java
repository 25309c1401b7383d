package proactive;

import java.lang.reflect.InvocationTargetException;
import java.util.Map;

/** Runs a Groovy script: java proactive.Groovy FOLDER. Reaches Groovy by reflection, so that any version will do. */
public final class Groovy {
    private Groovy() {}

    public static void main(String[] arguments) throws Exception {
        Task task = Task.load(arguments[0]);
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        Class<?> bindingType = loader.loadClass("groovy.lang.Binding");
        Object binding = bindingType.getConstructor(Map.class).newInstance(task.bindings);
        Class<?> shellType = loader.loadClass("groovy.lang.GroovyShell");
        Object shell = shellType.getConstructor(ClassLoader.class, bindingType).newInstance(loader, binding);
        String file = task.told("name") + ".groovy";
        Object value = null;
        try {
            String code = Imports.withoutUnused(task.code(), loader);
            value = shellType.getMethod("evaluate", String.class, String.class).invoke(shell, code, file);
        } catch (InvocationTargetException error) {
            Traces.fail(task, error.getCause(), file);
        }
        System.exit(task.finish(task.bindings, value));
    }
}
