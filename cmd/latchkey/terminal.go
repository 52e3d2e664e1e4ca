package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"latchkey/domain/oauth"
)

// printable keeps characters that command a terminal, or show text in another order than it has, from reaching it: names
// come from people, and an escape sequence could rewrite what is on the screen.
//
// It remembers what went wrong first: a secret that was made and is shown once must not get lost on a full disk while the
// exit code says that all is well.
type printable struct {
	io.Writer
	failed error
}

func (p *printable) Write(b []byte) (int, error) {
	shown := b
	if slices.ContainsFunc(b, doubtful) { // in hardly any line of a log
		shown = bytes.Map(func(r rune) rune {
			if unprintable(r) && r != '\n' && r != '\t' {
				return -1
			}
			return r
		}, b)
	}
	_, err := p.Writer.Write(shown)
	if p.failed == nil && err != nil {
		p.failed = fmt.Errorf("what was to be printed is not whole (%w): make room, or send it elsewhere, and ask for it again", err)
	}
	return len(b), err
}

// doubtful reports whether a byte is or may be part of what printable looks at more closely.
func doubtful(c byte) bool { return c < ' ' && c != '\n' && c != '\t' || c > '~' }

func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// printJSON prints a value. What printable would leave out is escaped instead, so that no value changes.
func printJSON(w io.Writer, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // commands have && in them, and are copied from here
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = escaped(lines[i])
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// printJSONLine prints a value in one line.
func printJSONLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, escaped(string(b)))
	return err
}

// escaped writes what printable would leave out as JSON escapes it.
func escaped(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if unprintable(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// maxSecretInput is more than any secret may have, so that a wrong file does not fill memory.
const maxSecretInput = 16 << 10

// secret returns what was given with --NAME-stdin or --NAME-file; given says whether there was either.
func (c *call) secret(name string) (s oauth.Secret, given bool, err error) {
	file, stdin := c.values.text(name+"-file"), c.values.has(name+"-stdin")
	switch {
	case file != "" && stdin:
		return "", true, usage("give --%[1]s-file or --%[1]s-stdin, not both", name)
	case file != "":
		f, err := os.Open(file)
		if err != nil {
			return "", true, err
		}
		defer f.Close()
		s, err = readSecret(f)
		return s, true, err
	case stdin:
		s, err = readSecret(c.stdin)
		return s, true, err
	}
	return "", false, nil
}

// readSecret takes everything but one line break at the end, which editors and echo add.
func readSecret(r io.Reader) (oauth.Secret, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSecretInput+1))
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case len(b) > maxSecretInput:
		return "", usage("the secret is longer than %d bytes", maxSecretInput)
	case text == "":
		return "", usage("the secret is empty")
	}
	return oauth.Secret(text), nil
}

// promptPassword asks for a new password twice, without showing it.
func (c *call) promptPassword(ctx context.Context) (oauth.Secret, error) {
	terminal, ok := c.stdin.(*os.File)
	if !ok || !isTerminal(terminal) {
		return "", usage("there is no terminal to ask for a password: use --password-stdin or --password-file")
	}
	var answers [2]string
	lines := bufio.NewReader(terminal)
	for i, question := range []string{"Password (15 characters or more): ", "The same password again: "} {
		fmt.Fprint(c.stderr, question)
		answer, err := readHidden(ctx, terminal, lines)
		fmt.Fprintln(c.stderr)
		if err != nil {
			return "", err
		}
		answers[i] = answer
	}
	if answers[0] != answers[1] {
		return "", usage("the two passwords differ: start again")
	}
	if answers[0] == "" {
		return "", usage("the password is empty")
	}
	return oauth.Secret(answers[0]), nil
}

// readHidden reads a line while the terminal shows nothing, and puts the terminal back whatever happens.
func readHidden(ctx context.Context, terminal *os.File, lines *bufio.Reader) (string, error) {
	restore, err := hideInput(terminal)
	if err != nil {
		return "", err
	}
	defer restore()
	answer, err := readLine(ctx, lines)
	if errors.Is(err, io.EOF) {
		return "", usage("no password was given")
	}
	return answer, err
}

// readLine reads a line, or gives up when ctx is done. At the end of the input with nothing before it the error is io.EOF.
func readLine(ctx context.Context, lines *bufio.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := lines.ReadString('\n')
		answered <- answer{strings.TrimRight(line, "\r\n"), err}
	}()
	select {
	case a := <-answered:
		if errors.Is(a.err, io.EOF) && a.line != "" {
			a.err = nil
		}
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
