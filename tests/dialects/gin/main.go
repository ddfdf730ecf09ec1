// An API by gin with zsais/go-gin-prometheus, in the variant that the environment names.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	ginprometheus "github.com/zsais/go-gin-prometheus"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	// Below the metrics, so that a crash is counted as the answer that it gets.
	if os.Getenv("VARIANT") != "recovery-outside" {
		measure(os.Getenv("VARIANT")).Use(engine)
		engine.Use(gin.Recovery())
	} else {
		engine.Use(gin.Recovery())
		measure("default").Use(engine)
	}
	engine.GET("/items/:id", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"id": c.Param("id")}) })
	engine.POST("/items", func(c *gin.Context) { c.JSON(http.StatusCreated, gin.H{"id": 4}) })
	engine.GET("/missing", func(c *gin.Context) { c.JSON(http.StatusNotFound, gin.H{"error": "no such item"}) })
	engine.GET("/fail", func(c *gin.Context) { c.JSON(http.StatusInternalServerError, gin.H{"error": "out of order"}) })
	engine.GET("/crash", func(*gin.Context) { panic("crash") })
	engine.GET("/slow", func(c *gin.Context) {
		time.Sleep(300 * time.Millisecond)
		c.JSON(http.StatusOK, gin.H{})
	})
	log.Fatal(engine.Run(os.Getenv("HOST") + ":" + os.Getenv("PORT")))
}

func measure(variant string) *ginprometheus.Prometheus {
	switch variant {
	case "default":
		return ginprometheus.NewPrometheus("gin")
	case "subsystem":
		return ginprometheus.NewPrometheus("shop")
	case "url-template":
		made := ginprometheus.NewPrometheus("gin")
		made.ReqCntURLLabelMappingFn = func(c *gin.Context) string { return c.FullPath() }
		return made
	default:
		return more(variant)
	}
}
