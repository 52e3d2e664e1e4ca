package page

// Words that stand on many pages.

const (
	// Problems with a form or with the browser.
	MsgServerBusy     Message = "problem.busy"     // too many passwords are being checked at once
	MsgExpired        Message = "problem.expired"  // the interaction is over, too old or already answered
	MsgCookiesMissing Message = "problem.cookies"  // the browser sent no cookie back
	MsgForged         Message = "problem.forged"   // the form did not come from our own page
	MsgWrongAccount   Message = "problem.mismatch" // another person is now signed in than the page was made for

	// A browser in words.
	MsgDevice        Message = "device.both" // {1}: browser, {2}: system
	MsgDeviceUnknown Message = "device.unknown"

	// Texts of the link on Done.
	MsgLinkSignIn   Message = "link.sign_in"
	MsgLinkHome     Message = "link.home"
	MsgLinkContinue Message = "link.continue"
	MsgLinkGoOn     Message = "link.go_on"
)

var sharedTexts = texts{
	English: {
		"language.label": "Language",
		"language.en":    "English",
		"language.id":    "Bahasa Indonesia",
		"title.error":    "Error:",
		"app.policy":     "Privacy policy",
		"app.terms":      "Terms of service",
		"app.home":       "About this application",
		"app.new_tab":    "(opens in a new tab)",

		"problem.busy":          "The server is busy right now",
		"problem.busy.next":     "Wait a few seconds, then try again.",
		"problem.expired":       "This page has expired or was already answered",
		"problem.expired.next":  "Go back to the application and start signing in again.",
		"problem.cookies":       "Your browser did not send the cookie that keeps your sign-in safe",
		"problem.cookies.next":  "Allow cookies for this site, then go back to the application and start again.",
		"problem.forged":        "This form did not come from this site, so nothing was done",
		"problem.forged.next":   "Go back to the application and start again. If a link or a message brought you here, do not trust it.",
		"problem.mismatch":      "Another account is signed in now than when this page was opened",
		"problem.mismatch.next": "Nothing was done. Start again with the account you want to use.",

		"link.go_on":    "Go on to the application",
		"link.sign_in":  "Sign in",
		"link.home":     "Go to the start page",
		"link.continue": "Back to the application",

		"help.link": "Help",

		"device.both":    "{1} on {2}",
		"device.unknown": "Unknown browser",
	},
	Indonesian: {
		"language.label": "Bahasa",
		"language.en":    "English",
		"language.id":    "Bahasa Indonesia",
		"title.error":    "Galat:",
		"app.policy":     "Kebijakan privasi",
		"app.terms":      "Ketentuan layanan",
		"app.home":       "Tentang aplikasi ini",
		"app.new_tab":    "(terbuka di tab baru)",

		"problem.busy":          "Server sedang sibuk",
		"problem.busy.next":     "Tunggu beberapa detik, lalu coba lagi.",
		"problem.expired":       "Halaman ini sudah kedaluwarsa atau sudah dijawab",
		"problem.expired.next":  "Kembali ke aplikasi dan mulai masuk dari awal.",
		"problem.cookies":       "Peramban Anda tidak mengirim kuki yang menjaga keamanan proses masuk",
		"problem.cookies.next":  "Izinkan kuki untuk situs ini, lalu kembali ke aplikasi dan mulai dari awal.",
		"problem.forged":        "Formulir ini tidak berasal dari situs ini, jadi tidak ada yang dilakukan",
		"problem.forged.next":   "Kembali ke aplikasi dan mulai dari awal. Jika Anda sampai di sini lewat tautan atau pesan, jangan percayai tautan atau pesan itu.",
		"problem.mismatch":      "Akun yang masuk sekarang berbeda dari saat halaman ini dibuka",
		"problem.mismatch.next": "Tidak ada yang dilakukan. Mulai dari awal dengan akun yang ingin Anda pakai.",

		"link.go_on":    "Lanjutkan ke aplikasi",
		"link.sign_in":  "Masuk",
		"link.home":     "Ke halaman awal",
		"link.continue": "Kembali ke aplikasi",

		"help.link": "Bantuan",

		"device.both":    "{1} di {2}",
		"device.unknown": "Peramban tidak dikenal",
	},
}
