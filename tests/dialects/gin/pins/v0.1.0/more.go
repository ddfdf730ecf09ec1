package main

import (
	"log"

	ginprometheus "github.com/zsais/go-gin-prometheus"
)

// more are the variants that later versions added: none here.
func more(variant string) *ginprometheus.Prometheus {
	log.Fatalf("VARIANT: %q is not a variant", variant)
	return nil
}
