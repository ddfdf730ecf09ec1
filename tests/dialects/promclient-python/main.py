"""An API that counts its requests by hand with prometheus_client, under names that many services have."""

import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Summary

try:
    from prometheus_client.exposition import choose_encoder
except ImportError:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    def choose_encoder(_accept):
        return generate_latest, CONTENT_TYPE_LATEST


VARIANT = os.environ.get("VARIANT", "default")

# Variant: prefix, labels of the counter, labels of the duration, buckets; None for a summary.
SHAPES = {
    "default": ("http", ("method", "endpoint", "status"), ("method", "endpoint"), Histogram.DEFAULT_BUCKETS),
    "path-code": ("http", ("method", "path", "code"), ("method", "path", "code"), (0.1, 0.25, 0.5, 1, 2.5)),
    "status-code": ("app", ("method", "endpoint", "status_code"), ("method", "endpoint"), Histogram.DEFAULT_BUCKETS),
    "no-route": ("http", ("method", "status"), ("method",), Histogram.DEFAULT_BUCKETS),
    "no-labels": ("http", (), (), Histogram.DEFAULT_BUCKETS),
    "summary": ("http", ("method", "endpoint", "status"), ("method", "endpoint"), None),
    "namespace": ("shop_http", ("method", "handler", "status"), ("method", "handler"), Histogram.DEFAULT_BUCKETS),
}
PREFIX, COUNTER_LABELS, DURATION_LABELS, BUCKETS = SHAPES[VARIANT]

REQUESTS = Counter(f"{PREFIX}_requests_total", "Total HTTP requests", COUNTER_LABELS)
if BUCKETS is None:
    DURATION = Summary(f"{PREFIX}_request_duration_seconds", "HTTP request duration", DURATION_LABELS)
else:
    DURATION = Histogram(
        f"{PREFIX}_request_duration_seconds", "HTTP request duration", DURATION_LABELS, buckets=BUCKETS
    )
IN_PROGRESS = Gauge(f"{PREFIX}_requests_in_progress", "HTTP requests in progress")
EXCEPTIONS = Counter(f"{PREFIX}_exceptions_total", "Unhandled exceptions", ("type",))

ROUTES = [
    ("GET", re.compile(r"/items/\d+"), "/items/{id}", 200),
    ("POST", re.compile(r"/items"), "/items", 201),
    ("GET", re.compile(r"/missing"), "/missing", 404),
    ("GET", re.compile(r"/fail"), "/fail", 500),
    ("GET", re.compile(r"/crash"), "/crash", None),
    ("GET", re.compile(r"/slow"), "/slow", 200),
]


def find(method, path):
    """The route of a path and the status that it answers."""
    for verb, pattern, route, status in ROUTES:
        if verb == method and pattern.fullmatch(path):
            return route, status
    return "unmatched", 404


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self.answer(200, encode(REGISTRY), content_type)
        else:
            self.count()

    def do_POST(self):
        self.count()

    def do_PUT(self):
        self.count()

    def count(self):
        started = time.perf_counter()
        path = self.path.partition("?")[0]
        route, status = find(self.command, path)
        with IN_PROGRESS.track_inprogress():
            try:
                if status is None:
                    raise RuntimeError("crash")
                if route == "/slow":
                    time.sleep(0.3)
            except RuntimeError as error:
                EXCEPTIONS.labels(type(error).__name__).inc()
                status = 500
        values = {"method": self.command, "endpoint": route, "path": route, "handler": route}
        values |= {"status": status, "code": status, "status_code": status}
        labelled(REQUESTS, COUNTER_LABELS, values).inc()
        labelled(DURATION, DURATION_LABELS, values).observe(time.perf_counter() - started)
        self.answer(status, json.dumps({"status": status}).encode(), "application/json")

    def answer(self, status, body, content_type):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def labelled(metric, names, values):
    return metric.labels(*(values[name] for name in names)) if names else metric


if __name__ == "__main__":
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
