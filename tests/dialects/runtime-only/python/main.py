"""A service whose page has only what prometheus_client exports by itself: no metrics of its HTTP requests."""

import os
import time
from wsgiref.simple_server import make_server

from prometheus_client import make_wsgi_app

STATUS = {
    ("GET", "/items/1"): "200 OK",
    ("GET", "/items/2"): "200 OK",
    ("GET", "/items/3"): "200 OK",
    ("POST", "/items"): "201 Created",
    ("GET", "/fail"): "500 Internal Server Error",
    ("GET", "/slow"): "200 OK",
}

page = make_wsgi_app()


def serve(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/metrics":
        return page(environ, start_response)
    if path == "/crash":
        raise RuntimeError("crash")
    if path == "/slow":
        time.sleep(0.3)
    status = STATUS.get((environ["REQUEST_METHOD"], path), "404 Not Found")
    start_response(status, [("Content-Type", "application/json")])
    return [b"{}"]


if __name__ == "__main__":
    make_server(os.environ["HOST"], int(os.environ["PORT"]), serve).serve_forever()
