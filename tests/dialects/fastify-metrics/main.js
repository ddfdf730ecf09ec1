// An API by Fastify with fastify-metrics, in the variant that the environment names.
import fastify from "fastify";
import metrics from "fastify-metrics";

const OPTIONS = {
  default: {},
  "route-metrics-only": { defaultMetrics: { enabled: false } },
  "grouped-status": { defaultMetrics: { enabled: false }, routeMetrics: { groupStatusCodes: true } },
  "unregistered-routes": { defaultMetrics: { enabled: false }, routeMetrics: { registeredRoutesOnly: false } },
  "histogram-only": {
    defaultMetrics: { enabled: false },
    routeMetrics: { enabled: { histogram: true, summary: false } },
  },
  "summary-only": {
    defaultMetrics: { enabled: false },
    routeMetrics: { enabled: { histogram: false, summary: true } },
  },
  renamed: {
    defaultMetrics: { enabled: false },
    routeMetrics: {
      overrides: {
        histogram: { name: "shop_request_seconds", buckets: [0.1, 0.25, 0.5, 1, 2.5] },
        summary: { name: "shop_request_summary_seconds" },
        labels: { method: "verb", route: "path", status: "code" },
      },
    },
  },
  "custom-labels": { defaultMetrics: { enabled: false }, routeMetrics: { customLabels: { region: "north" } } },
};

const options = OPTIONS[process.env.VARIANT];
if (!options) {
  throw new Error(`VARIANT: ${process.env.VARIANT} is not a variant`);
}
const api = fastify();
await api.register(metrics.default ?? metrics, { endpoint: "/metrics", ...options });
api.get("/items/:id", async (request) => ({ id: request.params.id }));
api.post("/items", async (_request, reply) => reply.code(201).send({ id: 4 }));
api.get("/missing", async (_request, reply) => reply.code(404).send({ error: "no such item" }));
api.get("/fail", async (_request, reply) => reply.code(500).send({ error: "out of order" }));
api.get("/crash", async () => {
  throw new Error("crash");
});
api.get("/slow", async () => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {};
});
await api.listen({ port: Number(process.env.PORT), host: process.env.HOST });
