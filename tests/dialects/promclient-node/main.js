// An API that measures its requests by hand with prom-client, under names that many services have, in the variant that the
// environment names.
import http from "node:http";
import client from "prom-client";

// The names and labels of each variant; a duration in milliseconds where the name says so.
const SHAPES = {
  default: { counter: "http_requests_total", duration: "http_request_duration_seconds", labels: ["method", "route", "status_code"] },
  milliseconds: {
    counter: "http_requests_total",
    duration: "http_request_duration_ms",
    labels: ["method", "route", "code"],
    buckets: [0.1, 5, 15, 50, 100, 200, 300, 400, 500],
  },
  "duration-only": { duration: "http_request_duration_seconds", labels: ["method", "path", "status"], buckets: [0.1, 0.3, 0.5, 0.7, 1, 3, 5, 7, 10] },
  summary: { counter: "http_requests_total", duration: "http_request_duration_seconds", labels: ["method", "route", "status_code"], summary: true },
  prefixed: { counter: "shop_http_requests_total", duration: "shop_http_request_duration_seconds", labels: ["method", "route", "status_code"], prefix: "shop_" },
  openmetrics: { counter: "http_requests_total", duration: "http_request_duration_seconds", labels: ["method", "route", "status_code"] },
};

const shape = SHAPES[process.env.VARIANT];
if (!shape) {
  throw new Error(`VARIANT: ${process.env.VARIANT} is not a variant`);
}
const openMetrics = process.env.VARIANT === "openmetrics";
if (openMetrics) {
  client.register.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
}
client.collectDefaultMetrics({ prefix: shape.prefix });
const measured = { name: shape.duration, help: "Duration of HTTP requests", labelNames: shape.labels };
const duration = shape.summary
  ? new client.Summary({ ...measured, percentiles: [0.5, 0.9, 0.99] })
  : new client.Histogram({ ...measured, ...(shape.buckets && { buckets: shape.buckets }) });
const requests = shape.counter && new client.Counter({ name: shape.counter, help: "Number of HTTP requests", labelNames: shape.labels });

const ROUTES = [
  ["GET", /^\/items\/\d+$/, "/items/:id", 200],
  ["POST", /^\/items$/, "/items", 201],
  ["GET", /^\/missing$/, "/missing", 404],
  ["GET", /^\/fail$/, "/fail", 500],
  ["GET", /^\/crash$/, "/crash", 500],
  ["GET", /^\/slow$/, "/slow", 200],
];

async function page(response) {
  response.setHeader("Content-Type", client.register.contentType);
  response.end(await client.register.metrics());
}

async function serve(request, response) {
  const path = request.url.split("?")[0];
  if (path === "/metrics") {
    return page(response);
  }
  const started = process.hrtime.bigint();
  const found = ROUTES.find(([method, pattern]) => method === request.method && pattern.test(path));
  const [, , route, status] = found ?? [null, null, "unmatched", 404];
  if (route === "/slow") {
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end("{}");
  const values = [request.method, route, String(status)];
  const labels = Object.fromEntries(shape.labels.map((label, index) => [label, values[index]]));
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  duration.observe(labels, shape.duration.endsWith("_ms") ? milliseconds : milliseconds / 1000);
  requests?.inc(labels);
}

http.createServer(serve).listen(Number(process.env.PORT), process.env.HOST);
