package page

// The words of signing out.

const (
	// What was done, for Done.
	MsgSignedOut Message = "done.signed_out"

	// What became of an application, for SignedOut.
	MsgAppSignedOut Message = "outcome.done"
	MsgAppAsked     Message = "outcome.asked"   // by a frame, whose answer nobody sees
	MsgAppPending   Message = "outcome.pending" // it has not answered yet, and is told again
	MsgAppFailed    Message = "outcome.failed"
	MsgAppSilent    Message = "outcome.silent" // it has no way to hear of it
)

var logoutTexts = texts{
	English: {
		"done.signed_out":      "You are signed out",
		"done.signed_out.next": "Applications you used may still be signed in. On a shared computer, close the browser.",

		"logout.title": "Do you want to sign out?",
		"logout.asked": "{1} asks to sign you out here. Other applications then have to ask you to sign in again.",
		"logout.intro": "Applications then have to ask you to sign in again.",
		"logout.stay":  "Stay signed in",

		"signed_out.lead":         "The applications you used are signed out too, as far as they can be told. On a shared computer, close the browser.",
		"signed_out.applications": "Applications",
		"outcome.done":            "Signed out",
		"outcome.asked":           "Being signed out in this browser",
		"outcome.pending":         "Not reached yet; it will be told again",
		"outcome.failed":          "Could not be signed out: sign out there yourself",
		"outcome.silent":          "May still be signed in: sign out there yourself",
		"signed_out.frame":        "Sign-out of {1}",
		"signed_out.going_on":     "You go back to the application in a moment.",
	},
	Indonesian: {
		"done.signed_out":      "Anda sudah keluar",
		"done.signed_out.next": "Aplikasi yang Anda pakai mungkin masih dalam keadaan masuk. Di komputer bersama, tutup perambannya.",

		"logout.title": "Apakah Anda ingin keluar?",
		"logout.asked": "{1} meminta agar Anda dikeluarkan di sini. Setelah itu, aplikasi lain harus meminta Anda masuk lagi.",
		"logout.intro": "Setelah itu, aplikasi harus meminta Anda masuk lagi.",
		"logout.stay":  "Tetap masuk",

		"signed_out.lead":         "Aplikasi yang Anda pakai juga dikeluarkan, sejauh dapat diberi tahu. Di komputer bersama, tutuplah peramban.",
		"signed_out.applications": "Aplikasi",
		"outcome.done":            "Sudah keluar",
		"outcome.asked":           "Sedang dikeluarkan di peramban ini",
		"outcome.pending":         "Belum terjangkau; akan diberi tahu lagi",
		"outcome.failed":          "Tidak dapat dikeluarkan: keluarlah sendiri di sana",
		"outcome.silent":          "Mungkin masih masuk: keluarlah sendiri di sana",
		"signed_out.frame":        "Keluar dari {1}",
		"signed_out.going_on":     "Sebentar lagi Anda kembali ke aplikasi.",
	},
}
