package main

import (
	"fmt"
	"net/http"
	"time"
)

// routes are the API's routes, each with what serves it.
var routes = map[string]http.HandlerFunc{
	"GET /items/{id}": func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, `{"id": "`+r.PathValue("id")+`"}`)
	},
	"POST /items": func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusCreated, `{"id": 4}`) },
	"GET /missing": func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, `{"error": "no such item"}`)
	},
	"GET /fail": func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusInternalServerError, `{"error": "out of order"}`)
	},
	"GET /crash": func(http.ResponseWriter, *http.Request) { panic("crash") },
	"GET /slow": func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond)
		answer(w, http.StatusOK, `{}`)
	},
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintln(w, body)
}
