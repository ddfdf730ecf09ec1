// An API by Fiber with ansrivas/fiberprometheus, in the variant that the environment names.
package main

import (
	"log"
	"os"
	"time"

	"github.com/ansrivas/fiberprometheus/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	made := measure(os.Getenv("VARIANT"))
	api := fiber.New(fiber.Config{DisableStartupMessage: true})
	made.RegisterAt(api, "/metrics")
	api.Use(made.Middleware)
	api.Use(recover.New())
	api.Get("/items/:id", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"id": c.Params("id")}) })
	api.Post("/items", func(c *fiber.Ctx) error { return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": 4}) })
	api.Get("/missing", func(c *fiber.Ctx) error {
		return c.Status(fiber.StatusNotFound).JSON(fiber.Map{"error": "no such item"})
	})
	api.Get("/fail", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusInternalServerError) })
	api.Get("/crash", func(*fiber.Ctx) error { panic("crash") })
	api.Get("/slow", func(c *fiber.Ctx) error {
		time.Sleep(300 * time.Millisecond)
		return c.JSON(fiber.Map{})
	})
	log.Fatal(api.Listen(os.Getenv("HOST") + ":" + os.Getenv("PORT")))
}

func measure(variant string) *fiberprometheus.FiberPrometheus {
	switch variant {
	case "default":
		return fiberprometheus.New("shop")
	case "namespace":
		return fiberprometheus.NewWith("shop", "my_app", "http")
	case "labels":
		return fiberprometheus.NewWithLabels(map[string]string{"region": "north"}, "http", "")
	case "default-registry":
		return fiberprometheus.NewWithRegistry(prometheus.DefaultRegisterer, "shop", "http", "", nil)
	default:
		log.Fatalf("VARIANT: %q is not a variant", variant)
		return nil
	}
}
