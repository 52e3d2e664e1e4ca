package main

import "testing"

func TestJar(t *testing.T) {
	j := &Jar{}
	tt, _ := parseTarget("http://127.0.0.1:1234/a/b?c=/d/")
	j.set(tt, "s=1; Path=/; HttpOnly")
	j.set(tt, "d=2")
	j.set(tt, "x=3; Path=/other")
	if h := string(j.appendHeader(nil, tt)); h != "Cookie: s=1; d=2\r\n" {
		t.Errorf("%q", h)
	}
	t2, _ := parseTarget("http://127.0.0.1:99/ab")
	if h := string(j.appendHeader(nil, t2)); h != "Cookie: s=1\r\n" {
		t.Errorf("%q", h)
	}
	j.set(tt, "s=; Path=/; Max-Age=0")
	j.set(tt, "d=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	if h := string(j.appendHeader(nil, tt)); h != "" {
		t.Errorf("%q", h)
	}
}
