package service;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;

/** An API by Quarkus with its Micrometer extension, in the variant that the environment names. */
@QuarkusMain
@Path("/")
public class Service {
    public static void main(String[] arguments) {
        System.setProperty("quarkus.http.host", System.getenv("HOST"));
        System.setProperty("quarkus.http.port", System.getenv("PORT"));
        Quarkus.run(arguments);
    }

    /** What gives the requests buckets, in the variant slo. */
    @Produces
    @Singleton
    MeterFilter buckets() {
        boolean wanted = "slo".equals(System.getenv("VARIANT"));
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                if (!wanted || !id.getName().equals("http.server.requests")) {
                    return config;
                }
                double second = 1e9;
                return DistributionStatisticConfig.builder()
                        .serviceLevelObjectives(0.1 * second, 0.25 * second, 0.5 * second, second, 2.5 * second)
                        .build()
                        .merge(config);
            }
        };
    }

    @GET
    @Path("/items/{id}")
    public Response item(@PathParam("id") String id) {
        return Response.ok("{\"id\": \"" + id + "\"}").build();
    }

    @POST
    @Path("/items")
    public Response create() {
        return Response.status(201).entity("{\"id\": 4}").build();
    }

    @GET
    @Path("/missing")
    public Response missing() {
        return Response.status(404).entity("{\"error\": \"no such item\"}").build();
    }

    @GET
    @Path("/fail")
    public Response fail() {
        return Response.status(500).entity("{\"error\": \"out of order\"}").build();
    }

    @GET
    @Path("/crash")
    public Response crash() {
        throw new IllegalStateException("crash");
    }

    @GET
    @Path("/slow")
    public Response slow() throws InterruptedException {
        Thread.sleep(300);
        return Response.ok("{}").build();
    }
}
