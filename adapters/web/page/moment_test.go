package page

import (
	"testing"
	"time"
)

func TestDevice(t *testing.T) {
	const webkit = " AppleWebKit/537.36 (KHTML, like Gecko) "
	tests := []struct{ agent, en, id string }{
		{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", "Firefox di Linux"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit + "Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows", "Chrome di Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Microsoft Edge on Windows", "Microsoft Edge di Windows"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari on macOS", "Safari di macOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone", "Chrome di iPhone"},
		{"Mozilla/5.0 (Linux; Android 15; SM-S911B)" + webkit + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android", "Samsung Internet di Android"},
		{"curl/8.14.1", "curl", "curl"},
		{"Mozilla/5.0 (Windows NT 10.0)", "Windows", "Windows"},
		{"", "Unknown browser", "Peramban tidak dikenal"},
	}
	for _, test := range tests {
		for l, want := range map[Locale]string{English: test.en, Indonesian: test.id} {
			if got, err := l.device(DeviceOf(test.agent)); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", test.agent, got, err, want)
			}
		}
	}
}

func TestWhen(t *testing.T) {
	at := time.Date(2026, 2, 28, 17, 5, 0, 0, time.UTC)
	tests := []struct {
		zone, en, id string
	}{
		{"", "28 February 2026 at 17:05 UTC", "28 Februari 2026 pukul 17.05 UTC"},
		{"Asia/Jakarta", "1 March 2026 at 00:05 WIB", "1 Maret 2026 pukul 00.05 WIB"},
		{"../../etc/passwd", "28 February 2026 at 17:05 UTC", "28 Februari 2026 pukul 17.05 UTC"},
	}
	for _, test := range tests {
		m := MomentOf(at, test.zone)
		if English.when(m) != test.en || Indonesian.when(m) != test.id || m.Stamp() != "2026-02-28T17:05:00Z" {
			t.Errorf("%q: %q, %q, %q", test.zone, English.when(m), Indonesian.when(m), m.Stamp())
		}
	}
}
