// An API of Go's own HTTP server, counted by the handlers of client_golang's package promhttp under the names that its
// documentation uses, in the variant that the environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// shape is what differs between the variants.
type shape struct {
	namespace string
	// labels of the counter and of the duration, beside handler
	labels []string
	// handler is a label of its own for the route
	handler bool
	buckets []float64
	summary bool
	// native histograms beside the buckets
	native bool
}

var shapes = map[string]shape{
	"default":   {labels: []string{"code", "method"}},
	"handler":   {labels: []string{"code", "method"}, handler: true},
	"namespace": {namespace: "shop", labels: []string{"code", "method"}, handler: true},
	"code-only": {labels: []string{"code"}},
	"no-labels": {},
	"buckets":   {labels: []string{"method"}, handler: true, buckets: []float64{.1, .25, .5, 1, 2.5}},
	"summary":   {labels: []string{"code", "method"}, summary: true},
	"native":    {labels: []string{"code", "method"}, native: true},
}

func main() {
	variant := os.Getenv("VARIANT")
	shape, known := shapes[variant]
	if !known {
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
	mux := http.NewServeMux()
	instrument := instrumentation(shape)
	for pattern, handler := range routes {
		_, path, _ := strings.Cut(pattern, " ")
		mux.Handle(pattern, instrument(path, handler))
	}
	// promhttp.Handler() is what most programs use; it counts its own requests and gives no OpenMetrics.
	page := promhttp.Handler()
	if variant != "default" {
		options := promhttp.HandlerOpts{EnableOpenMetrics: true}
		page = promhttp.InstrumentMetricHandler(prometheus.DefaultRegisterer, promhttp.HandlerFor(prometheus.DefaultGatherer, options))
	}
	mux.Handle("GET /metrics", page)
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), mux))
}

// instrumentation registers a variant's metrics and gives back what wraps a route's handler.
func instrumentation(s shape) func(path string, next http.Handler) http.Handler {
	labels := s.labels
	if s.handler {
		labels = append([]string{"handler"}, labels...)
	}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: s.namespace, Name: "http_requests_total", Help: "A counter for requests to the wrapped handler.",
	}, labels)
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: s.namespace, Name: "http_requests_in_flight", Help: "A gauge of requests currently being served by the wrapped handler.",
	})
	size := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: s.namespace, Name: "http_response_size_bytes", Help: "A histogram of response sizes for requests.",
		Buckets: []float64{200, 500, 900, 1500},
	}, []string{})
	duration, curry := durations(s, labels)
	prometheus.MustRegister(requests, inFlight, size, duration)

	return func(path string, next http.Handler) http.Handler {
		count, observe := requests, curry(nil)
		if s.handler {
			of := prometheus.Labels{"handler": path}
			count, observe = requests.MustCurryWith(of), curry(of)
		}
		handler := promhttp.InstrumentHandlerResponseSize(size, next)
		handler = promhttp.InstrumentHandlerCounter(count, handler)
		handler = promhttp.InstrumentHandlerDuration(observe, handler)
		return promhttp.InstrumentHandlerInFlight(inFlight, handler)
	}
}

// durations is a variant's histogram or summary, and what gives the one of a handler.
func durations(s shape, labels []string) (prometheus.Collector, func(prometheus.Labels) prometheus.ObserverVec) {
	const name, help = "http_request_duration_seconds", "A histogram of latencies for requests."
	if s.summary {
		summary := prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Namespace: s.namespace, Name: name, Help: help,
			Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.99: 0.001},
		}, labels)
		return summary, summary.MustCurryWith
	}
	options := prometheus.HistogramOpts{Namespace: s.namespace, Name: name, Help: help, Buckets: s.buckets}
	if s.buckets == nil {
		options.Buckets = prometheus.DefBuckets
	}
	if s.native {
		options.NativeHistogramBucketFactor = 1.1
	}
	histogram := prometheus.NewHistogramVec(options, labels)
	return histogram, histogram.MustCurryWith
}
