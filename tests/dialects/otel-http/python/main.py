"""An API by FastAPI with OpenTelemetry's instrumentation and its Prometheus exporter, in the variant that the environment names."""

import asyncio
import os

VARIANT = os.environ.get("VARIANT", "default")

# Read by the instrumentation when it is imported.
OPT_IN = {"stable": "http", "both": "http/dup", "views": "http", "no-target-info": "http"}
if VARIANT in OPT_IN:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = OPT_IN[VARIANT]
os.environ["OTEL_SERVICE_NAME"] = "shop"

import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402
from fastapi.responses import JSONResponse, Response  # noqa: E402
from opentelemetry import metrics, trace  # noqa: E402
from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: E402
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from prometheus_client import REGISTRY  # noqa: E402
from prometheus_client.exposition import choose_encoder  # noqa: E402


def provider():
    """The meter provider of each variant."""
    # Without the process's own attributes: an id of the instance would differ each time.
    resource = Resource({"service.name": "shop", "service.version": "1.0.0"})
    reader = PrometheusMetricReader(disable_target_info=True) if VARIANT == "no-target-info" else PrometheusMetricReader()
    views = []
    if VARIANT == "views":
        buckets = ExplicitBucketHistogramAggregation((0.1, 0.25, 0.5, 1, 2.5))
        keys = {"http.request.method", "http.route", "http.response.status_code"}
        views = [View(instrument_name="http.server.request.duration", aggregation=buckets, attribute_keys=keys)]
    return MeterProvider(metric_readers=[reader], resource=resource, views=views)


metrics.set_meter_provider(provider())
if VARIANT == "traced":
    # Older versions know a request's status only where it is traced.
    trace.set_tracer_provider(TracerProvider())

app = FastAPI()


@app.get("/items/{item_id}")
async def item(item_id: int):
    return {"id": item_id}


@app.post("/items", status_code=201)
async def create():
    return {"id": 4}


@app.get("/missing")
async def missing():
    return JSONResponse({"error": "no such item"}, status_code=404)


@app.get("/fail")
async def fail():
    return JSONResponse({"error": "out of order"}, status_code=500)


@app.get("/crash")
async def crash():
    raise RuntimeError("crash")


@app.get("/slow")
async def slow():
    await asyncio.sleep(0.3)
    return {}


@app.get("/metrics")
async def page(request: Request):
    """The page, by the Python client's own encoders."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), media_type=content_type)


FastAPIInstrumentor.instrument_app(app, excluded_urls="/metrics")

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]))
