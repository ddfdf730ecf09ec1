// An API by chi with go-chi/metrics, in the variant that the environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/metrics"
)

func main() {
	options := metrics.CollectorOpts{}
	switch variant := os.Getenv("VARIANT"); variant {
	case "default":
	case "host-and-proto":
		options.Host, options.Proto = true, true
	case "skip":
		options.Skip = func(r *http.Request) bool { return r.URL.Path == "/metrics" }
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
	api := chi.NewRouter()
	api.Use(metrics.Collector(options), middleware.Recoverer)
	api.Handle("/metrics", metrics.Handler())
	api.Get("/items/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK) })
	api.Post("/items", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusCreated) })
	api.Get("/missing", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusNotFound) })
	api.Get("/fail", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusInternalServerError) })
	api.Get("/crash", func(http.ResponseWriter, *http.Request) { panic("crash") })
	api.Get("/slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond)
		answer(w, http.StatusOK)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), api))
}

func answer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("{}\n"))
}
