package proactive;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.ow2.proactive.scheduler.signal.SignalApiException;
import org.ow2.proactive.scheduler.synchronization.InvalidChannelException;

/** Requests of a running task to its scheduler: what channels and signals are made of. */
final class Services {
    /** The scheduler answers a request that waits after this time, if nothing has happened. */
    static final int PATIENCE_SECONDS = 20;

    private static final int TIMEOUT = (PATIENCE_SECONDS + 40) * 1000;

    private final String url;
    private final String key;

    Services(Map<?, ?> services) {
        url = (String) services.get("url");
        key = (String) services.get("key");
    }

    /** The answer to a JSON body. */
    Map<?, ?> call(String operation, String body) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) new URL(url + "/" + operation).openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(TIMEOUT);
            connection.setReadTimeout(TIMEOUT);
            connection.setRequestMethod("POST");
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setRequestProperty("task-key", key);
            connection.setDoOutput(true);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body.getBytes(StandardCharsets.UTF_8));
            }
            boolean refused = connection.getResponseCode() >= 400;
            String text = read(refused ? connection.getErrorStream() : connection.getInputStream());
            Map<?, ?> answer = (Map<?, ?>) Json.parse(text);
            if (refused) {
                throw refusal(answer);
            }
            return answer;
        } catch (IOException error) {
            throw new IllegalStateException(
                    "The scheduler does not answer at " + url + " (" + error + "). A task in a container needs the "
                            + "network of its host for synchronizationapi and signalapi",
                    error);
        }
    }

    private static RuntimeException refusal(Map<?, ?> answer) {
        String message = String.valueOf(answer.get("errorMessage"));
        String type = String.valueOf(answer.get("exceptionClass"));
        if (type.endsWith("InvalidChannelException")) {
            return new InvalidChannelException(message);
        }
        if (type.endsWith("SignalApiRestException")) {
            return new SignalApiException(message);
        }
        return new IllegalStateException(message);
    }

    private static String read(InputStream stream) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        try (InputStream in = stream) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                out.write(buffer, 0, count);
            }
        }
        return new String(out.toByteArray(), StandardCharsets.UTF_8);
    }

    /** A text as JSON. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder();
        Wire.quote(out, text);
        return out.toString();
    }
}
