package service;

import io.micronaut.http.HttpResponse;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.runtime.Micronaut;
import java.util.HashMap;
import java.util.Map;

/** An API by Micronaut with its Micrometer module, in the variant that the environment names. */
@Controller
public class Service {
    private static final String SERVER = "micronaut.metrics.binders.web.server.";

    public static void main(String[] arguments) {
        Map<String, Object> properties = new HashMap<>(properties(System.getenv("VARIANT")));
        properties.put("micronaut.server.host", System.getenv("HOST"));
        properties.put("micronaut.server.port", System.getenv("PORT"));
        properties.put("micronaut.metrics.export.prometheus.enabled", true);
        properties.put("endpoints.prometheus.enabled", true);
        properties.put("endpoints.prometheus.sensitive", false);
        Micronaut.build(arguments).mainClass(Service.class).properties(properties).start();
    }

    private static Map<String, Object> properties(String variant) {
        switch (variant) {
            case "default":
                return Map.of();
            case "histogram":
                return Map.of(SERVER + "histogram", true);
            case "percentiles":
                return Map.of(SERVER + "percentiles", "0.5,0.95,0.99");
            case "slo":
                return Map.of(SERVER + "slos", "0.1,0.25,0.5,1,2.5");
            default:
                throw new IllegalArgumentException("VARIANT: " + variant + " is not a variant");
        }
    }

    @Get("/items/{id}")
    HttpResponse<String> item(String id) {
        return HttpResponse.ok("{\"id\": \"" + id + "\"}");
    }

    @Post("/items")
    HttpResponse<String> create() {
        return HttpResponse.created("{\"id\": 4}");
    }

    @Get("/missing")
    HttpResponse<String> missing() {
        return HttpResponse.notFound("{\"error\": \"no such item\"}");
    }

    @Get("/fail")
    HttpResponse<String> fail() {
        return HttpResponse.serverError("{\"error\": \"out of order\"}");
    }

    @Get("/crash")
    String crash() {
        throw new IllegalStateException("crash");
    }

    @Get("/slow")
    String slow() throws InterruptedException {
        Thread.sleep(300);
        return "{}";
    }
}
