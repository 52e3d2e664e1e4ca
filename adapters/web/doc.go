// Package web owns HTTP and HTML: it turns bytes into values, calls the inbound ports, and turns their answers into bytes.
// Routes, cookies, forms, status codes and pages are here; what is allowed is decided behind the ports.
//
// web.go has the whole URL map, middleware.go what every request passes through, form.go and request.go what is read,
// respond.go what is written, with the one function that chooses statuses.
package web
