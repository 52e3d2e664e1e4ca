package app_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/domain/oauth"
)

const memoryWorkers = 16

// BenchmarkMemory tells what memory a server takes that has so many people signed in, LATCHKEY_SESSIONS, when each of them
// goes to an application and each application refreshes its tokens: as fast as they are answered.
func BenchmarkMemory(b *testing.B) {
	sessions, err := strconv.Atoi(os.Getenv("LATCHKEY_SESSIONS"))
	if err != nil || sessions < 1 {
		sessions = 500
	}
	for b.Loop() {
		s := newSized(b, "memory")
		s.web = s.Client("web")
		users := 20 * (sessions/15 + 1)
		fillFile(b, s.File(), users)
		cookies := openSessions(b, s.File(), users)[:sessions]
		started := s.Start()
		time.Sleep(2 * time.Second)
		fmt.Printf("\n%-44s %9s %9s %12s\n", "", "resident", "peak", "a second")
		s.report(b, fmt.Sprintf("idle, %v after the start", started.Round(time.Millisecond)), 0)
		tokens := make([]string, sessions)
		took := s.each(b, sessions, func(n int) error {
			browser := s.Browser()
			browser.SetCookie("latchkey-session", cookies[n])
			r := s.web.Exchange(s.web.Authorize(browser).Answer().Get("code"))
			tokens[n] = r.Get("refresh_token")
			return answered(r)
		})
		s.report(b, fmt.Sprintf("%d sessions have begun a family each", sessions), float64(sessions)/took.Seconds())
		mathrand.Shuffle(sessions, func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
		took = s.each(b, sessions, func(n int) error {
			r := s.web.Refresh(tokens[n])
			return errors.Join(answered(r), answered(s.web.UserInfo(r.Get("access_token"))))
		})
		s.report(b, "each was refreshed and asked for userinfo", float64(2*sessions)/took.Seconds())
		time.Sleep(10 * time.Second)
		s.report(b, "ten seconds later", 0)
		_, peak := memory(b, s.Pid())
		b.ReportMetric(float64(peak)/1024, "peak-MB")
		s.Terminate()
		s.Wait()
	}
}

// each does something so many times, with all workers at once, and returns how long it took.
func (s *sized) each(b *testing.B, times int, do func(n int) error) time.Duration {
	var running sync.WaitGroup
	var next atomic.Int64
	begun := time.Now()
	for range memoryWorkers {
		running.Go(func() {
			for n := int(next.Add(1)) - 1; n < times; n = int(next.Add(1)) - 1 {
				if err := do(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return time.Since(begun)
}

func (s *sized) report(b *testing.B, what string, rate float64) {
	now, peak := memory(b, s.Pid())
	perSecond := ""
	if rate > 0 {
		perSecond = fmt.Sprintf("%.0f", rate)
	}
	fmt.Printf("%-44s %6.1f MB %6.1f MB %12s\n", what, float64(now)/1024, float64(peak)/1024, perSecond)
}

// openSessions gives those of the filled sessions that are open, and whose users agree to the application, cookies of ours.
func openSessions(b *testing.B, file string, users int) (cookies []string) {
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		b.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i <= users; i++ {
		if i%5 == 0 || i%20 == 1 {
			continue
		}
		cookie := rand.Text()
		digest := oauth.Secret(cookie).Digest()
		if _, err := tx.Exec("UPDATE session SET key = ? WHERE id = ?", digest[:], fmt.Sprintf("ses_fill%09d", i)); err != nil {
			b.Fatal(err)
		}
		cookies = append(cookies, cookie)
	}
	if err := errors.Join(tx.Commit(), db.Close()); err != nil {
		b.Fatal(err)
	}
	return cookies
}
