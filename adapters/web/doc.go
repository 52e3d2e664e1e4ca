// Package web owns HTTP: it turns bytes into values, calls the inbound ports, and turns their answers into bytes. Routes,
// cookies, forms and status codes are here; what is allowed is decided behind the ports, and how a page looks and reads in
// package page.
//
// web.go has the whole URL map, middleware.go what every request passes through, form.go and request.go what is read,
// respond.go what is written, with the one function that chooses statuses.
package web
