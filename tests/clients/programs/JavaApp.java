// A program as users of Java's own HTTP client write it. Its defaults ask each server of plain http to upgrade to
// HTTP/2. Prints what came back as JSON, one name with a string each; the environment says where the API is.

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

public class JavaApp {
    static final String BASE = System.getenv("OPENAI_BASE_URL");
    static final String KEY = System.getenv("OPENAI_API_KEY");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        Map<String, String> printed = new LinkedHashMap<>();
        printed.put("models", get("/models").body());
        for (String name : new String[] {"first", "second"}) { // on one connection
            printed.put(name, text(CLIENT.send(post(chat("", ""), KEY).build(), BodyHandlers.ofString())));
        }
        printed.put("stream", lines(post(chat(",\"stream\":true", ""), KEY).build()));
        printed.put("expect", text(CLIENT.send(post(chat("", ""), KEY).expectContinue(true).build(), BodyHandlers.ofString())));
        HttpRequest.BodyPublisher chunked =
            BodyPublishers.fromPublisher(BodyPublishers.ofString(chat("", "")));
        HttpRequest unknownLength = to("/chat/completions", KEY).POST(chunked).build();
        printed.put("chunked", text(CLIENT.send(unknownLength, BodyHandlers.ofString())));
        CompletableFuture<HttpResponse<String>> later =
            CLIENT.sendAsync(post(chat("", ""), KEY).build(), BodyHandlers.ofString());
        printed.put("async", text(later.get(60, TimeUnit.SECONDS)));
        // Too long for the model by far: the whole body has to arrive for the model to say so.
        printed.put("2 MB", text(CLIENT.send(post(chat("", "x".repeat(2_000_000)), KEY).build(), BodyHandlers.ofString())));
        printed.put("bad key", text(CLIENT.send(post(chat("", ""), "wrong").build(), BodyHandlers.ofString())));
        printed.put("left", left());
        System.out.println(json(printed));
    }

    static String chat(String options, String padding) {
        return "{\"model\":\"sparrow\",\"temperature\":0,\"max_tokens\":40" + options
            + ",\"messages\":[{\"role\":\"user\",\"content\":\"What is Ray?" + padding + "\"}]}";
    }

    static HttpRequest.Builder to(String path, String key) {
        return HttpRequest.newBuilder(URI.create(BASE + path))
            .header("content-type", "application/json")
            .header("authorization", "Bearer " + key)
            .timeout(Duration.ofSeconds(60));
    }

    static HttpRequest.Builder post(String body, String key) {
        return to("/chat/completions", key).POST(BodyPublishers.ofString(body));
    }

    static HttpResponse<String> get(String path) throws Exception {
        return CLIENT.send(to(path, KEY).GET().build(), BodyHandlers.ofString());
    }

    static String text(HttpResponse<String> response) {
        return response.version() + " " + response.statusCode() + " " + response.body();
    }

    static String lines(HttpRequest request) throws Exception {
        return CLIENT.send(request, BodyHandlers.ofLines()).body().collect(Collectors.joining("\n"));
    }

    /** Reads the beginning of a long stream and closes it; returns what it had read. */
    static String left() throws Exception {
        String endless = chat(",\"stream\":true,\"ignore_eos\":true", "").replace("\"max_tokens\":40", "\"max_tokens\":2000");
        try (InputStream stream = CLIENT.send(post(endless, KEY).build(), BodyHandlers.ofInputStream()).body()) {
            return new String(stream.readNBytes(1000), StandardCharsets.UTF_8);
        }
    }

    static String json(Map<String, String> pairs) {
        return pairs.entrySet().stream()
            .map(pair -> quoted(pair.getKey()) + ":" + quoted(pair.getValue()))
            .collect(Collectors.joining(",", "{", "}"));
    }

    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }
}
