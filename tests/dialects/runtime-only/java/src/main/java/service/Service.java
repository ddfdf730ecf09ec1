package service;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.metrics.exporter.httpserver.MetricsHandler;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;

/** A service whose page has only what Prometheus's Java library exports of the virtual machine: no metrics of its HTTP requests. */
public class Service {
    private static final Map<String, Integer> STATUS = Map.of(
            "GET /items/1", 200,
            "GET /items/2", 200,
            "GET /items/3", 200,
            "POST /items", 201,
            "GET /fail", 500,
            "GET /crash", 500,
            "GET /slow", 200);

    public static void main(String[] arguments) throws IOException {
        JvmMetrics.builder().register();
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newFixedThreadPool(2));
        server.createContext("/metrics", new MetricsHandler());
        server.createContext("/", Service::answer);
        server.start();
    }

    private static void answer(HttpExchange exchange) throws IOException {
        String route = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(STATUS.getOrDefault(route, 404), 0);
        exchange.getResponseBody().write("{}".getBytes());
        exchange.close();
    }
}
