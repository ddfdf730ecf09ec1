package main

import (
	"log"

	"github.com/labstack/echo-contrib/echoprometheus"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// measure adds the package echoprometheus.
func measure(api *echo.Echo, variant string) {
	config := echoprometheus.MiddlewareConfig{}
	switch variant {
	case "default":
		config.Subsystem = "echo"
	case "subsystem":
		config.Subsystem = "shop"
	case "namespace":
		config.Namespace, config.Subsystem = "shop", "http"
	case "extra-labels":
		config.LabelFuncs = map[string]echoprometheus.LabelValueFunc{
			"region": func(echo.Context, error) string { return "north" },
			// A label of the same name replaces the library's own.
			"host": func(echo.Context, error) string { return "shop" },
		}
	case "buckets":
		config.HistogramOptsFunc = func(options prometheus.HistogramOpts) prometheus.HistogramOpts {
			if options.Name == "request_duration_seconds" {
				options.Buckets = []float64{.1, .25, .5, 1, 2.5}
			}
			return options
		}
	case "one-url-for-404":
		config.DoNotUseRequestPathFor404 = true
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
	api.Use(echoprometheus.NewMiddlewareWithConfig(config))
	api.GET("/metrics", echoprometheus.NewHandler())
}
