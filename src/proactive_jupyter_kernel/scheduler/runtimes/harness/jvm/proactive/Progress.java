package proactive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/** The binding progress: how far the task is, 0 to 100. */
public final class Progress {
    private final Path file;

    Progress(String file) {
        this.file = Paths.get(file);
    }

    public void set(int percent) throws IOException {
        if (percent < 0 || percent > 100) {
            throw new IllegalArgumentException("progress goes from 0 to 100, not " + percent);
        }
        Files.write(file, String.valueOf(percent).getBytes(StandardCharsets.US_ASCII));
    }

    public int get() {
        try {
            return Integer.parseInt(new String(Files.readAllBytes(file), StandardCharsets.US_ASCII).trim());
        } catch (IOException | NumberFormatException none) {
            return 0;
        }
    }
}
