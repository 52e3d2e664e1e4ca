package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal returns the two ends of a pseudoterminal: what a person types into and sees, and what a program has.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	var number, unlock int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(argument))); errno != 0 {
			t.Fatal(errno)
		}
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// prompted types each answer when a question was asked, and returns everything the person saw.
func prompted(ctx context.Context, t *testing.T, answers ...string) (result string, seen string, err error) {
	t.Helper()
	person, program := openTerminal(t)
	questions, asked := io.Pipe()
	c := &call{stdin: program, stderr: io.MultiWriter(asked, program)}
	go func() {
		b := make([]byte, 256)
		for _, a := range answers {
			for {
				n, err := questions.Read(b)
				if err != nil || strings.Contains(string(b[:n]), ": ") {
					break
				}
			}
			for echoes(program) { // the question comes before the echo is off
			}
			io.WriteString(person, a+"\n")
		}
		io.Copy(io.Discard, questions)
	}()
	password, err := c.promptPassword(ctx)
	asked.Close()
	if !echoes(program) {
		t.Error("the echo is still off")
	}
	io.WriteString(person, "\n") // a prompt that was interrupted still reads, and would keep the terminal open
	program.Close()
	b, _ := io.ReadAll(person) // ends with EIO, when the other end is closed
	return password.Reveal(), string(b), err
}

func echoes(f *os.File) bool {
	a, err := attributes(f)
	return err == nil && a.Lflag&syscall.ECHO != 0
}

// AD-07: a password that is typed is not shown.
func TestPrompt(t *testing.T) {
	password, seen, err := prompted(t.Context(), t, goodPassword, goodPassword)
	if err != nil || password != goodPassword {
		t.Errorf("%q, %v", password, err)
	}
	if !strings.Contains(seen, "Password") || !strings.Contains(seen, "again") || strings.Contains(seen, goodPassword) {
		t.Errorf("seen: %q", seen)
	}
	if _, _, err := prompted(t.Context(), t, goodPassword, "another"); err == nil || !strings.Contains(err.Error(), "differ") {
		t.Errorf("two different passwords: %v", err)
	}
	if _, _, err := prompted(t.Context(), t, "", ""); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty password: %v", err)
	}
}

func TestPromptInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := prompted(ctx, t); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What cannot be undone is asked for at a terminal, and done for "yes" alone.
func TestConfirm(t *testing.T) {
	for answer, agreed := range map[string]bool{"yes": true, " yes ": true, "y": false, "": false, "no": false} {
		person, program := openTerminal(t)
		var told strings.Builder
		io.WriteString(person, answer+"\n")
		err := (&call{stdin: program, stderr: &told}).confirm(t.Context(), "Everything goes.\n")
		if (err == nil) != agreed || (!agreed && exitCode(t.Context(), err) != exitRefused) || told.String() != "Everything goes.\nGo on? Type yes: " {
			t.Errorf("%q: %v, told %q", answer, err, told.String())
		}
	}
	person, program := openTerminal(t)
	io.WriteString(person, "\x04") // Ctrl-D
	if err := (&call{stdin: program, stderr: io.Discard}).confirm(t.Context(), "x"); exitCode(t.Context(), err) != exitRefused {
		t.Errorf("the end of the input: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, program = openTerminal(t)
	if err := (&call{stdin: program, stderr: io.Discard}).confirm(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
