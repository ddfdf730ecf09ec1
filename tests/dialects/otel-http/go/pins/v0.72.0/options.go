package main

import (
	"log"

	exporter "go.opentelemetry.io/otel/exporters/prometheus"

	"github.com/prometheus/otlptranslator"
)

// options are the exporter's, for a variant.
func options(variant string) []exporter.Option {
	switch variant {
	case "default":
		return nil
	case "no-scope":
		return []exporter.Option{exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo()}
	case "namespace":
		return []exporter.Option{exporter.WithNamespace("shop")}
	case "no-suffixes":
		return []exporter.Option{exporter.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes)}
	case "utf8":
		return []exporter.Option{exporter.WithTranslationStrategy(otlptranslator.NoUTF8EscapingWithSuffixes)}
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
		return nil
	}
}
