// foreign: an image that knows nothing of us. It serves HTTP on the port in its own name (/serve-9999 → 9999), has no
// health endpoint, the file /page as its metrics if there is one, and ends on SIGTERM like any well-meant service.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
)

func main() {
	port := strings.TrimPrefix(path.Base(os.Args[0]), "serve-")
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	if page, err := os.ReadFile("/page"); err == nil {
		http.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			w.Write(page)
		})
	}
	go func() {
		log.Fatal(http.ListenAndServe(":"+port, nil))
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
