package proactive;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Shows errors with the script's own lines and none of the harness or of the language's insides. */
final class Traces {
    private Traces() {}

    /** Tell the task that its script, which its language knows as `file`, threw `error`. */
    static void fail(Task task, Throwable error, String file) {
        fail(task, error, file, 0);
    }

    /** The same where `before` lines of ours stand in front of the script. */
    static void fail(Task task, Throwable error, String file, int before) {
        String message = error.getMessage() == null ? "" : labelled(error.getMessage(), task.label(), file);
        boolean ours = error.getClass().getName().startsWith("proactive.");
        String type = ours ? error.getClass().getSimpleName() : error.getClass().getName();
        task.fail(type, message, trace(task, error, file, before, new HashSet<>()));
    }

    private static String trace(Task task, Throwable error, String file, int before, Set<Throwable> seen) {
        seen.add(error);
        StringBuilder text = new StringBuilder(labelled(error.toString(), task.label(), file));
        for (StackTraceElement frame : error.getStackTrace()) {
            if (file.equals(frame.getFileName()) && frame.getLineNumber() > before) {
                text.append("\n    at ").append(task.label()).append(':').append(frame.getLineNumber() - before);
            }
        }
        Throwable cause = error.getCause();
        if (cause != null && !seen.contains(cause)) {
            text.append("\nCaused by: ").append(trace(task, cause, file, before, seen));
        }
        return text.toString();
    }

    /** Groovy's compiler says T1.groovy: 3: in front of what it has to say. */
    private static String labelled(String text, String label, String file) {
        Matcher places = Pattern.compile("(?:file:)?[^\\s:]*" + Pattern.quote(file) + ": ?(?=\\d)").matcher(text);
        return places.replaceAll(Matcher.quoteReplacement(label + ":"));
    }
}
