package service;

import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** An API by Spring Boot with Micrometer's Prometheus registry, in the variant that the environment names. */
@SpringBootApplication
@RestController
public class Service {
    private static final String DISTRIBUTION = "management.metrics.distribution.";
    private static final String REQUESTS = ".http.server.requests";

    public static void main(String[] arguments) {
        SpringApplication application = new SpringApplication(Service.class);
        Map<String, Object> properties = new HashMap<>(properties(System.getenv("VARIANT")));
        properties.put("server.address", System.getenv("HOST"));
        properties.put("server.port", System.getenv("PORT"));
        properties.put("management.endpoints.web.exposure.include", "prometheus");
        application.setDefaultProperties(properties);
        application.run(arguments);
    }

    private static Map<String, String> properties(String variant) {
        switch (variant) {
            case "default":
                return Map.of();
            case "histogram":
                return Map.of(DISTRIBUTION + "percentiles-histogram" + REQUESTS, "true");
            case "percentiles":
                return Map.of(DISTRIBUTION + "percentiles" + REQUESTS, "0.5,0.95,0.99");
            case "slo":
                return Map.of(DISTRIBUTION + "slo" + REQUESTS, "100ms,250ms,500ms,1s,2500ms");
            case "tags":
                return Map.of(
                        "management.metrics.tags.application", "shop",
                        "management.metrics.tags.region", "north",
                        DISTRIBUTION + "slo" + REQUESTS, "100ms,500ms,1s");
            case "renamed":
                // The first is the name of the property until version 3, the second since.
                return Map.of(
                        "management.metrics.web.server.request.metric-name", "shop.requests",
                        "management.observations.http.server.requests.name", "shop.requests");
            case "no-http":
                return Map.of("management.metrics.enable.http", "false");
            default:
                throw new IllegalArgumentException("VARIANT: " + variant + " is not a variant");
        }
    }

    @GetMapping("/items/{id}")
    Map<String, String> item(@PathVariable("id") String id) {
        return Map.of("id", id);
    }

    @PostMapping("/items")
    ResponseEntity<Map<String, Integer>> create() {
        return ResponseEntity.status(201).body(Map.of("id", 4));
    }

    @GetMapping("/missing")
    ResponseEntity<Map<String, String>> missing() {
        return ResponseEntity.status(404).body(Map.of("error", "no such item"));
    }

    @GetMapping("/fail")
    ResponseEntity<Map<String, String>> fail() {
        return ResponseEntity.status(500).body(Map.of("error", "out of order"));
    }

    @GetMapping("/crash")
    String crash() {
        throw new IllegalStateException("crash");
    }

    @GetMapping("/slow")
    Map<String, String> slow() throws InterruptedException {
        Thread.sleep(300);
        return Map.of();
    }
}
