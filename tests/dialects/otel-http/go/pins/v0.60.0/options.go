package main

import (
	"log"
	"os"

	exporter "go.opentelemetry.io/otel/exporters/prometheus"
)

// options are the exporter's, for a variant. This version has the old names, and the new ones beside them on request.
func options(variant string) []exporter.Option {
	switch variant {
	case "default", "route":
		return nil
	case "both":
		if err := os.Setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http/dup"); err != nil {
			log.Fatal(err)
		}
		return nil
	case "no-scope":
		return []exporter.Option{exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo()}
	case "namespace":
		return []exporter.Option{exporter.WithNamespace("shop")}
	case "no-units":
		return []exporter.Option{exporter.WithoutUnits()}
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
		return nil
	}
}
