package main

import (
	"log"

	"github.com/labstack/echo-contrib/prometheus"
	"github.com/labstack/echo/v4"
)

// measure adds the package prometheus, which echoprometheus replaced.
func measure(api *echo.Echo, variant string) {
	switch variant {
	case "default":
		prometheus.NewPrometheus("echo", nil).Use(api)
	case "subsystem":
		prometheus.NewPrometheus("shop", nil).Use(api)
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
}
