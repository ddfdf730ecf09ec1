// Package ext stands for the package of this name in Traefik's repository, by which others add settings to Traefik. It is a
// module of its own there that no registry has, and both of its types are empty.
package ext

// HTTP has no further settings.
type HTTP struct{}

// Router has no further settings.
type Router struct{}
