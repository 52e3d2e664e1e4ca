// Package web owns the endpoints: it is called with HTTP requests, calls the inbound ports, and turns what they say into
// answers. Routes, cookies, CSRF tokens and status codes are here. What strangers send is read in package read, how a page
// looks and reads is in package page, and what is allowed is decided behind the ports.
//
// web.go has the whole URL map, middleware.go what every request passes through, respond.go what is written, with the one
// function that chooses statuses. Every other file is an endpoint, or what a few of them share.
package web
