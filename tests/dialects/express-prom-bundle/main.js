// An API by Express with express-prom-bundle, in the variant that the environment names.
import express from "express";
import bundle from "express-prom-bundle";

const OPTIONS = {
  default: {},
  "method-path": { includeMethod: true, includePath: true },
  "without-up": { includeMethod: true, includePath: true, includeUp: false },
  "no-status": { includeMethod: true, includePath: true, includeStatusCode: false },
  summary: { includeMethod: true, includePath: true, metricType: "summary" },
  "grouped-status": {
    includeMethod: true,
    includePath: true,
    formatStatusCode: (response) => `${Math.floor(response.statusCode / 100)}xx`,
  },
  renamed: { includeMethod: true, includePath: true, httpDurationMetricName: "shop_request_seconds" },
  buckets: { includeMethod: true, includePath: true, buckets: [0.1, 0.25, 0.5, 1, 2.5] },
  "custom-labels": { includeMethod: true, includePath: true, customLabels: { region: "north" } },
  "default-metrics": { includeMethod: true, includePath: true, promClient: { collectDefaultMetrics: {} } },
};

const options = OPTIONS[process.env.VARIANT];
if (!options) {
  throw new Error(`VARIANT: ${process.env.VARIANT} is not a variant`);
}
const api = express();
api.use(bundle(options));
api.get("/items/:id", (request, response) => response.json({ id: request.params.id }));
api.post("/items", (_request, response) => response.status(201).json({ id: 4 }));
api.get("/missing", (_request, response) => response.status(404).json({ error: "no such item" }));
api.get("/fail", (_request, response) => response.status(500).json({ error: "out of order" }));
api.get("/crash", () => {
  throw new Error("crash");
});
api.get("/slow", (_request, response) => setTimeout(() => response.json({}), 300));
api.listen(Number(process.env.PORT), process.env.HOST);
