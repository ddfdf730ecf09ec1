// The same API counted by prometheus.InstrumentHandlerFunc, which client_golang had until version 0.9.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		_, path, _ := strings.Cut(pattern, " ")
		mux.Handle(pattern, prometheus.InstrumentHandlerFunc(path, handler))
	}
	mux.Handle("GET /metrics", promhttp.Handler())
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), mux))
}
