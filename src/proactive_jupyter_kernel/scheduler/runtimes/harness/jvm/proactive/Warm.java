package proactive;

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Map;

/**
 * Runs scripts of one language, one after the other: java proactive.Warm LANGUAGE FOLDER.
 *
 * <p>FOLDER is the folder of a stage that is run first, so that whatever the language loads and opens when it is first
 * used is there, and has two named pipes, "requests" and "answers". The first answer is "ready". A request is a line of JSON: "folder" is the
 * stage's folder, "directory" the path that the folder in which the machine was started has now, "keep" whether the
 * machine may run another script afterwards. The answer to it is a line with the exit code of the script, or
 * "elsewhere" where Java cannot be told of that path; the machine ends then.
 *
 * <p>A script that leaves anything behind (see Residue), or is not to be followed by another one, ends the machine as
 * the end of a script does where each has a machine of its own, with the exit code of the script and without an answer.
 * So does one that calls System.exit.
 */
public final class Warm {
    private final Language language;
    private int rehearsals;

    private Warm(Language language) {
        this.language = language;
    }

    public static void main(String[] arguments) throws Throwable {
        Thread.currentThread().setName("proactive");
        new Warm(language(arguments[0])).serve(Paths.get(arguments[1]));
        // The node is gone. No hook of a script is left, and nothing else is to be saved.
        Runtime.getRuntime().halt(0);
    }

    private static Language language(String name) throws ReflectiveOperationException {
        switch (name) {
            case "groovy":
                return new Groovy();
            case "python":
                return new Jython();
            case "scalaw":
                return new Scala();
            default:
                throw new IllegalArgumentException(name);
        }
    }

    private void serve(Path folder) throws Throwable {
        start(new Run(folder.toString(), true, true));
        try (InputStream requests = new FileInputStream(folder.resolve("requests").toFile());
                OutputStream out = new FileOutputStream(folder.resolve("answers").toFile())) {
            BufferedReader in = new BufferedReader(new InputStreamReader(requests, StandardCharsets.UTF_8));
            out.write("ready\n".getBytes(StandardCharsets.US_ASCII));
            rehearse(folder, requests);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Map<?, ?> request = (Map<?, ?>) Json.parse(line);
                if (!WorkingFolder.isAt((String) request.get("directory"))) {
                    out.write("elsewhere\n".getBytes(StandardCharsets.US_ASCII));
                    return;
                }
                Run run = new Run((String) request.get("folder"), (Boolean) request.get("keep"), false);
                start(run);
                out.write((run.code + "\n").getBytes(StandardCharsets.US_ASCII));
                language.prepare();
                rehearse(folder, requests);
            }
        }
    }

    /** Run the first script again while nothing is asked for: Java becomes faster by doing. */
    private void rehearse(Path folder, InputStream requests) throws Throwable {
        language.rehearses = true;
        for (; rehearsals < language.rehearsals() && isIdle(requests); rehearsals++) {
            start(new Run(folder.toString(), true, true));
            language.prepare();
        }
        language.rehearses = false;
    }

    private static boolean isIdle(InputStream requests) throws Exception {
        for (int waited = 0; waited < 300 && requests.available() == 0; waited += 20) {
            Thread.sleep(20);
        }
        return requests.available() == 0;
    }

    /** Run it in a thread of its own; does not return where the run is not to be followed by another one. */
    private void start(Run run) throws InterruptedException {
        Thread thread = new Thread(null, run, "main", language.stackSize());
        thread.start();
        thread.join();
    }

    /** One script. */
    private final class Run implements Runnable {
        private final String folder;
        private final boolean keep;
        private final boolean rehearsal;
        private int code;

        Run(String folder, boolean keep, boolean rehearsal) {
            this.folder = folder;
            this.keep = keep;
            this.rehearsal = rehearsal;
        }

        @Override
        public void run() {
            boolean clean = false;
            try {
                Residue residue = new Residue();
                code = language.run(folder);
                clean = !residue.isLeft() && !language.isChanged() && keep || rehearsal;
            } catch (Throwable fault) {
                code = 1;
                System.err.print("Exception in thread \"main\" ");
                fault.printStackTrace();
            }
            if (!clean) {
                System.exit(code);
            }
        }
    }
}
