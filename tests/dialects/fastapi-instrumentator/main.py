"""An API by FastAPI with prometheus-fastapi-instrumentator, in the variant that the environment names."""

import asyncio
import inspect
import os

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from prometheus_fastapi_instrumentator import Instrumentator, metrics

VARIANT = os.environ.get("VARIANT", "default")

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


def instrumentator():
    """The options of each variant."""
    if VARIANT == "exact-status":
        return Instrumentator(should_group_status_codes=False)
    if VARIANT == "in-progress":
        return Instrumentator(should_instrument_requests_inprogress=True, inprogress_labels=True)
    if VARIANT == "in-progress-renamed":
        return Instrumentator(
            should_group_status_codes=False,
            should_instrument_requests_inprogress=True,
            inprogress_name="fastapi_inprogress",
            inprogress_labels=True,
        )
    if VARIANT == "no-templates":
        return Instrumentator(should_group_untemplated=False, should_ignore_untemplated=False)
    if VARIANT == "ignore-untemplated":
        return Instrumentator(should_ignore_untemplated=True, excluded_handlers=["/metrics"])
    return Instrumentator()


def default_metrics(**options):
    """The metrics that are there by default, with those of these options that this version of the library knows."""
    known = inspect.signature(metrics.default).parameters
    return metrics.default(**{name: value for name, value in options.items() if name in known})


def add_metrics(made):
    """What some variants add in place of the default metrics."""
    if VARIANT == "prefixed":
        made.add(default_metrics(metric_namespace="shop", metric_subsystem="api"))
    elif VARIANT == "custom-labels":
        made.add(default_metrics(custom_labels={"region": "north"}))
    elif VARIANT == "buckets":
        made.add(default_metrics(latency_highr_buckets=(0.1, 0.5, 1), latency_lowr_buckets=(0.05, 0.25, 0.5, 1, 2.5)))
    elif VARIANT == "single-metrics":
        made.add(metrics.requests()).add(metrics.latency())
        made.add(metrics.request_size()).add(metrics.response_size())
    elif VARIANT == "fewer-labels":
        made.add(metrics.requests(should_include_handler=False))
        made.add(metrics.latency(should_include_handler=False, should_include_status=False))
    return made


add_metrics(instrumentator()).instrument(app).expose(app)

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]))
