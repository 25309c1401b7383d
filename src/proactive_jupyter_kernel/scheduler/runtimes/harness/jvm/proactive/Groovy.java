package proactive;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Runs a Groovy script: java proactive.Groovy FOLDER. Reaches Groovy by reflection, so that any version will do. */
public final class Groovy extends Language {
    /** Meta classes that Groovy itself puts into its registry. */
    private static final List<String> USUAL =
            Arrays.asList("groovy.lang.MetaClassImpl", "org.codehaus.groovy.runtime.metaclass.ClosureMetaClass");

    Groovy() {}

    public static void main(String[] arguments) throws Throwable {
        System.exit(new Groovy().run(arguments[0]));
    }

    @Override
    int run(String folder) throws Exception {
        Task task = Task.load(folder);
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
        return task.finish(task.bindings, value);
    }

    @Override
    int rehearsals() {
        return 3;
    }

    /** Whether a class has got methods or properties that it does not come with. */
    @Override
    boolean isChanged() throws Throwable {
        Class<?> system = Mirror.type("groovy.lang.GroovySystem");
        Object registry = Mirror.call(system, null, "getMetaClassRegistry", new Class<?>[0]);
        Class<?> type = Mirror.type("groovy.lang.MetaClassRegistry");
        Iterator<?> all = (Iterator<?>) Mirror.call(type, registry, "iterator", new Class<?>[0]);
        while (all.hasNext()) {
            if (!USUAL.contains(all.next().getClass().getName())) {
                return true;
            }
        }
        return false;
    }
}
