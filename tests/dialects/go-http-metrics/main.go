// An API of Go's own HTTP server with slok/go-http-metrics, in the variant that the environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/slok/go-http-metrics/metrics/prometheus"
	"github.com/slok/go-http-metrics/middleware"
	"github.com/slok/go-http-metrics/middleware/std"
)

func main() {
	variant := os.Getenv("VARIANT")
	recorder, config := options(variant)
	config.Recorder = prometheus.NewRecorder(recorder)
	measure := middleware.New(config)

	mux := http.NewServeMux()
	for pattern, handler := range routes {
		_, path, _ := strings.Cut(pattern, " ")
		if variant == "raw-path" {
			mux.Handle(pattern, handler)
		} else {
			mux.Handle(pattern, std.Handler(path, measure, handler))
		}
	}
	var api http.Handler = mux
	if variant == "raw-path" {
		// Without an id of the handler, the library takes the request's path.
		api = std.Handler("", measure, mux)
	}
	root := http.NewServeMux()
	root.Handle("GET /metrics", promhttp.Handler())
	root.Handle("/", api)
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), root))
}

func options(variant string) (prometheus.Config, middleware.Config) {
	switch variant {
	case "default", "raw-path":
		return prometheus.Config{}, middleware.Config{}
	case "service":
		return prometheus.Config{}, middleware.Config{Service: "shop"}
	case "prefixed":
		return prometheus.Config{Prefix: "shop"}, middleware.Config{Service: "shop"}
	case "grouped":
		return prometheus.Config{}, middleware.Config{GroupedStatus: true}
	case "renamed-labels":
		return prometheus.Config{
			HandlerIDLabel: "route", StatusCodeLabel: "status", MethodLabel: "verb", ServiceLabel: "app",
		}, middleware.Config{Service: "shop"}
	case "buckets":
		return prometheus.Config{DurationBuckets: []float64{.1, .25, .5, 1, 2.5}}, middleware.Config{}
	case "duration-only":
		return prometheus.Config{}, middleware.Config{DisableMeasureSize: true, DisableMeasureInflight: true}
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
		return prometheus.Config{}, middleware.Config{}
	}
}
