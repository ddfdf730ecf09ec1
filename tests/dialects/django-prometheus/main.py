"""An API by Django with django-prometheus, in the variant that the environment names. Settings and routes are in this file."""

import os
import sys
import time
from wsgiref.simple_server import make_server

import django
from django.conf import settings

VARIANT = os.environ.get("VARIANT", "default")

OPTIONS = {
    "default": {},
    "prefixed": {"PROMETHEUS_METRIC_NAMESPACE": "shop"},
    "buckets": {"PROMETHEUS_LATENCY_BUCKETS": (0.1, 0.25, 0.5, 1, 2.5, float("inf"))},
}

settings.configure(
    SECRET_KEY="for the capture alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_prometheus"],
    MIDDLEWARE=[
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ],
    **OPTIONS[VARIANT],
)
django.setup()
# Django imports the routes by this module's name.
sys.modules.setdefault("main", sys.modules[__name__])

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponseNotAllowed, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def item(request, item_id):
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    return JsonResponse({"id": item_id})


def create(_request):
    return JsonResponse({"id": 4}, status=201)


def missing(_request):
    return JsonResponse({"error": "no such item"}, status=404)


def fail(_request):
    return JsonResponse({"error": "out of order"}, status=500)


def crash(_request):
    raise RuntimeError("crash")


def slow(_request):
    time.sleep(0.3)
    return JsonResponse({})


urlpatterns = [
    path("items/<int:item_id>", item, name="item"),
    path("items", create, name="items"),
    path("missing", missing, name="missing"),
    path("fail", fail, name="fail"),
    path("crash", crash, name="crash"),
    path("slow", slow),
    path("", include("django_prometheus.urls")),
]

if __name__ == "__main__":
    make_server(os.environ["HOST"], int(os.environ["PORT"]), get_wsgi_application()).serve_forever()
