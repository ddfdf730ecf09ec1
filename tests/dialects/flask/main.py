"""An API by Flask with prometheus_flask_exporter, in the variant that the environment names."""

import os
import time

from flask import Flask, jsonify, request
from prometheus_flask_exporter import NO_PREFIX, PrometheusMetrics
from werkzeug.serving import run_simple

VARIANT = os.environ.get("VARIANT", "default")

OPTIONS = {
    "default": {},
    "url-rule": {"group_by": "url_rule"},
    "endpoint": {"group_by": "endpoint"},
    "prefixed": {"defaults_prefix": "shop"},
    "no-prefix": {"defaults_prefix": NO_PREFIX, "group_by": "url_rule"},
    "buckets": {"buckets": (0.1, 0.25, 0.5, 1, 2.5), "group_by": "url_rule"},
    "extra-labels": {
        "group_by": "url_rule",
        "default_labels": {"region": "north", "client": lambda: request.headers.get("X-Client", "none")},
    },
    "summary": {"default_latency_as_histogram": False, "group_by": "url_rule"},
}

app = Flask(__name__)
metrics = PrometheusMetrics(app, **OPTIONS[VARIANT])
metrics.info("app_info", "Application info", version="1.0.0")


@app.route("/items/<int:item_id>")
def item(item_id):
    return jsonify({"id": item_id})


@app.route("/items", methods=["POST"])
def create():
    return jsonify({"id": 4}), 201


@app.route("/missing")
def missing():
    return jsonify({"error": "no such item"}), 404


@app.route("/fail")
def fail():
    return jsonify({"error": "out of order"}), 500


@app.route("/crash")
def crash():
    raise RuntimeError("crash")


@app.route("/slow")
def slow():
    time.sleep(0.3)
    return jsonify({})


if __name__ == "__main__":
    run_simple(os.environ["HOST"], int(os.environ["PORT"]), app)
