"""An API by Starlette with starlette_exporter, in the variant that the environment names."""

import asyncio
import os

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware, handle_metrics

VARIANT = os.environ.get("VARIANT", "default")

OPTIONS = {
    "default": {},
    "app-name": {"app_name": "shop"},
    "prefixed": {"app_name": "shop", "prefix": "shop"},
    "grouped": {"group_paths": True, "filter_unhandled_paths": True},
    "ungrouped": {"group_paths": False, "filter_unhandled_paths": False},
    "buckets": {"buckets": [0.1, 0.25, 0.5, 1, 2.5]},
    "extra-labels": {"labels": {"region": "north"}},
}


async def item(request):
    return JSONResponse({"id": request.path_params["item_id"]})


async def create(_request):
    return JSONResponse({"id": 4}, status_code=201)


async def missing(_request):
    return JSONResponse({"error": "no such item"}, status_code=404)


async def fail(_request):
    return JSONResponse({"error": "out of order"}, status_code=500)


async def crash(_request):
    raise RuntimeError("crash")


async def slow(_request):
    await asyncio.sleep(0.3)
    return JSONResponse({})


app = Starlette(
    routes=[
        Route("/items/{item_id:int}", item),
        Route("/items", create, methods=["POST"]),
        Route("/missing", missing),
        Route("/fail", fail),
        Route("/crash", crash),
        Route("/slow", slow),
        Route("/metrics", handle_metrics),
    ]
)
app.add_middleware(PrometheusMiddleware, **OPTIONS[VARIANT])

if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]))
