package web

import "strings"

// device is what a User-Agent header tells a person: enough to recognise their own browser, and nothing they have to
// decipher. Headers can be made up, so this is a reminder and never a proof.
type device struct {
	Browser, System string // names as their makers write them; empty: not recognised
}

// Each mark is looked for in order: later browsers carry the names of earlier ones.
var (
	browserMarks = [][2]string{
		{"Edg", "Microsoft Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systemMarks = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	}
)

func deviceOf(userAgent string) device {
	return device{Browser: firstMark(userAgent, browserMarks), System: firstMark(userAgent, systemMarks)}
}

func firstMark(text string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(text, m[0]) {
			return m[1]
		}
	}
	return ""
}

// device puts a device into words.
func (l locale) device(d device) (string, error) {
	switch {
	case d.Browser != "" && d.System != "":
		return l.text(msgDevice, d.Browser, d.System)
	case d.Browser+d.System != "":
		return d.Browser + d.System, nil
	}
	return l.text(msgDeviceUnknown)
}
