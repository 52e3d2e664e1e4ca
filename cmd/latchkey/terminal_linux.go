package main

import (
	"os"
	"syscall"
	"unsafe"
)

func isTerminal(f *os.File) bool {
	_, err := attributes(f)
	return err == nil
}

// hideInput turns the echo off and returns how to turn it on again.
func hideInput(f *os.File) (restore func(), err error) {
	before, err := attributes(f)
	if err != nil {
		return nil, err
	}
	hidden := before
	hidden.Lflag &^= syscall.ECHO
	if err := setAttributes(f, &hidden); err != nil {
		return nil, err
	}
	return func() { setAttributes(f, &before) }, nil
}

func attributes(f *os.File) (t syscall.Termios, err error) {
	return t, ioctl(f, syscall.TCGETS, &t)
}

func setAttributes(f *os.File, t *syscall.Termios) error { return ioctl(f, syscall.TCSETS, t) }

func ioctl(f *os.File, request uintptr, t *syscall.Termios) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(t))); errno != 0 {
		return errno
	}
	return nil
}
