// An API by Echo with its Prometheus middleware, in the variant that the environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

func main() {
	api := echo.New()
	measure(api, os.Getenv("VARIANT"))
	api.Use(middleware.Recover())
	api.GET("/items/:id", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"id": c.Param("id")}) })
	api.POST("/items", func(c echo.Context) error { return c.JSON(http.StatusCreated, map[string]int{"id": 4}) })
	api.GET("/missing", func(echo.Context) error { return echo.NewHTTPError(http.StatusNotFound, "no such item") })
	api.GET("/fail", func(echo.Context) error { return echo.NewHTTPError(http.StatusInternalServerError, "out of order") })
	api.GET("/crash", func(echo.Context) error { panic("crash") })
	api.GET("/slow", func(c echo.Context) error {
		time.Sleep(300 * time.Millisecond)
		return c.JSON(http.StatusOK, map[string]string{})
	})
	log.Fatal(api.Start(os.Getenv("HOST") + ":" + os.Getenv("PORT")))
}
