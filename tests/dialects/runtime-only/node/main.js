// A service whose page has only what prom-client exports of Node by itself: no metrics of its HTTP requests.
import http from "node:http";
import client from "prom-client";

const STATUS = {
  "GET /items/1": 200,
  "GET /items/2": 200,
  "GET /items/3": 200,
  "POST /items": 201,
  "GET /fail": 500,
  "GET /crash": 500,
  "GET /slow": 200,
};

client.collectDefaultMetrics();

async function serve(request, response) {
  const path = request.url.split("?")[0];
  if (path === "/metrics") {
    response.setHeader("Content-Type", client.register.contentType);
    response.end(await client.register.metrics());
    return;
  }
  response.writeHead(STATUS[`${request.method} ${path}`] ?? 404, { "Content-Type": "application/json" });
  response.end("{}");
}

http.createServer(serve).listen(Number(process.env.PORT), process.env.HOST);
