package page

import "strings"

// Device is what a User-Agent header tells a person: enough to recognise their own browser, and nothing they have to
// decipher. Headers can be made up, so this is a reminder and never a proof.
type Device struct {
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

// DeviceOf recognises a browser by its User-Agent header.
func DeviceOf(userAgent string) Device {
	return Device{Browser: firstMark(userAgent, browserMarks), System: firstMark(userAgent, systemMarks)}
}

func firstMark(text string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(text, m[0]) {
			return m[1]
		}
	}
	return ""
}

// Device puts a device into words.
func (l Locale) device(d Device) (string, error) {
	switch {
	case d.Browser != "" && d.System != "":
		return l.Text(MsgDevice, d.Browser, d.System)
	case d.Browser+d.System != "":
		return d.Browser + d.System, nil
	}
	return l.Text(MsgDeviceUnknown)
}
