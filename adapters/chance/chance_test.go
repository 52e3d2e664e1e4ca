package chance

import (
	"regexp"
	"testing"
)

func TestSourceMints(t *testing.T) {
	secret, id := regexp.MustCompile(`^[A-Z2-7]{52}$`), regexp.MustCompile(`^[a-z2-7]{16}$`)
	seen := map[any]bool{}
	once := func(v any) {
		if seen[v] {
			t.Fatal("a value came twice")
		}
		seen[v] = true
	}
	letters := map[byte]int{} // of every position together
	const n = 2000
	for range n {
		s, i := Source{}.Secret(), Source{}.ID()
		if !secret.MatchString(s.Reveal()) {
			t.Fatal("a secret has another form than 52 unreserved characters of 5 bits")
		}
		if !id.MatchString(i) {
			t.Fatalf("ID %q has another form than 16 lower case letters and digits of 5 bits", i)
		}
		once(s)
		once(i)
		once(Source{}.Salt())
		for j := range i {
			letters[i[j]]++
		}
	}
	if len(letters) != 32 {
		t.Errorf("IDs use %d letters, want all 32", len(letters))
	}
	if seen[[16]byte{}] {
		t.Error("a salt is zero")
	}
}
