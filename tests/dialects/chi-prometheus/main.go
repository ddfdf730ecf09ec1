// An API by chi with 766b/chi-prometheus, in the variant that the environment names. A crash is left to Go's HTTP server: the
// Recoverer of that version of chi itself panics when it is built with a current Go.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	chiprometheus "github.com/766b/chi-prometheus"
	"github.com/go-chi/chi"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	api := chi.NewRouter()
	switch variant := os.Getenv("VARIANT"); variant {
	case "default":
		api.Use(chiprometheus.NewMiddleware("shop"))
	case "pattern":
		api.Use(chiprometheus.NewPatternMiddleware("shop"))
	case "both":
		api.Use(chiprometheus.NewMiddleware("shop"), chiprometheus.NewPatternMiddleware("shop"))
	case "buckets":
		api.Use(chiprometheus.NewPatternMiddleware("shop", 50, 100, 500, 1000, 5000))
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
	api.Handle("/metrics", promhttp.Handler())
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
