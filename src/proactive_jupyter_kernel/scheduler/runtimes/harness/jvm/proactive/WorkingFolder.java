package proactive;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.Charset;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Paths;

/**
 * The folder that the Java machine was started in, under the path that it has now: a node moves it from task to task.
 *
 * <p>The system follows the move, Java does not: it looks up the path once, at its start.
 */
final class WorkingFolder {
    private WorkingFolder() {}

    /** Let Java know its folder's path; false where it is another folder, or Java cannot be told. */
    static boolean isAt(String path) {
        try {
            // Relative paths are those of the system.
            if (!Files.isSameFile(Paths.get("."), Paths.get(path))) {
                return false;
            }
            System.setProperty("user.dir", path);
            if (!isTold(path)) {
                tell(path);
            }
            return isTold(path);
        } catch (IOException | ReflectiveOperationException | RuntimeException closed) {
            return false;
        }
    }

    private static boolean isTold(String path) {
        return new File("x").getAbsolutePath().equals(path + "/x")
                && Paths.get("x").toAbsolutePath().toString().equals(path + "/x");
    }

    private static void tell(String path) throws ReflectiveOperationException {
        FileSystem system = FileSystems.getDefault();
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
        Field folder = field(system.getClass(), "defaultDirectory");
        folder.setAccessible(true);
        folder.set(system, path.getBytes(charset));
        for (Field field : File.class.getDeclaredFields()) {
            if (field.getType().getName().equals("java.io.FileSystem")) {
                field.setAccessible(true);
                Object files = field.get(null);
                // Before Java 11 it does not remember the path.
                Field user = field(files.getClass(), "userDir");
                if (user != null) {
                    user.setAccessible(true);
                    user.set(files, path);
                }
            }
        }
    }


    /** The field of a class or of one that it extends; null: there is none. */
    private static Field field(Class<?> type, String name) {
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Field field : each.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    return field;
                }
            }
        }
        return null;
    }
}
