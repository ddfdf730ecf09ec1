// An API of Go's own HTTP server with OpenTelemetry's otelhttp and its Prometheus exporter, in the variant that the
// environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"go.opentelemetry.io/otel/attribute"
)

func main() {
	variant := os.Getenv("VARIANT")
	registry := prometheus.NewRegistry()
	made, err := exporter.New(append(options(variant), exporter.WithRegisterer(registry))...)
	if err != nil {
		log.Fatal(err)
	}
	provider := metric.NewMeterProvider(
		metric.WithReader(made),
		metric.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))),
	)
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		mux.Handle(pattern, route(variant, pattern, handler))
	}
	root := http.NewServeMux()
	root.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	root.Handle("/", otelhttp.NewHandler(mux, "shop", otelhttp.WithMeterProvider(provider)))
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), root))
}

// route gives a handler the attribute http.route, in the variant that asks for it.
func route(variant, pattern string, next http.Handler) http.Handler {
	if variant != "route" {
		return next
	}
	_, path, _ := strings.Cut(pattern, " ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if labeler, found := otelhttp.LabelerFromContext(r.Context()); found {
			labeler.Add(attribute.String("http.route", path))
		}
		next.ServeHTTP(w, r)
	})
}
