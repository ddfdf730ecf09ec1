package main

import (
	"log"

	ginprometheus "github.com/zsais/go-gin-prometheus"
)

// more are the variants that version 1 added.
func more(variant string) *ginprometheus.Prometheus {
	if variant != "custom-labels" {
		log.Fatalf("VARIANT: %q is not a variant", variant)
	}
	return ginprometheus.NewWithConfig(ginprometheus.Config{CustomLabels: map[string]string{"region": "north"}})
}
