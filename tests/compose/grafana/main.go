// grafana: stands in the place of Grafana where a stack is tried. It shows what it was given: its settings, the secret that it
// reads, and what it is provisioned with. Called as `curl` it asks an address, as the health check of Grafana's image does.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if filepath.Base(os.Args[0]) == "curl" {
		ask(os.Args[len(os.Args)-1])
		return
	}
	http.HandleFunc("/api/health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"database": "ok"}`)
	})
	http.HandleFunc("/given", given)
	if err := http.ListenAndServe(":3000", nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(address string) {
	answer, err := http.Get(address)
	if err != nil || answer.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(22)
	}
}

func given(w http.ResponseWriter, _ *http.Request) {
	settings := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "GF_") {
			settings[name] = value
		}
	}
	password, err := os.ReadFile(settings["GF_SECURITY_ADMIN_PASSWORD__FILE"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	files := map[string]string{}
	for _, folder := range []string{"/etc/grafana/provisioning", "/etc/monitored-api/dashboards"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	if err := os.WriteFile("/var/lib/grafana/written", nil, 0o600); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"settings": settings, "password": string(password), "files": files})
}
