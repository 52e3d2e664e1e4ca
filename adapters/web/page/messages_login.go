package page

// The words of signing in.

const (
	// Problems with the form, for Login.
	MsgLoginFailed     Message = "login.failed"   // one text for a wrong password and for an unknown user, against enumeration
	MsgTooManyAttempts Message = "login.too_many" // {1}: minutes until the next attempt is heard

	// What was done, for Done.
	MsgAnswered Message = "done.answered" // the form was sent twice
)

var loginTexts = texts{
	English: {
		"login.title":        "Sign in",
		"login.to_app":       "to continue to",
		"login.to_latchkey":  "to your {1} account",
		"login.username":     "Username",
		"login.password":     "Password",
		"login.submit":       "Sign in",
		"login.help":         "Forgot your password? Your administrator can give you a new one.",
		"login.signed_in_as": "You are signed in as {1}.",
		"login.wanted":       "This application asks for {1}.",
		"login.reauth":       "The application asks you to confirm that it is you.",

		"login.failed":            "The username or password is not correct",
		"login.failed.next":       "Check both and try again. Capital letters matter in the password.",
		"login.too_many":          "There were too many attempts to sign in",
		"login.too_many.next":     "Wait {1} minutes, then try again.",
		"login.too_many.next.one": "Wait 1 minute, then try again.",

		"done.answered":      "This was answered already",
		"done.answered.next": "The form was sent twice. Go on to the application; you will not have to type anything again.",

		"login.administration": "Administration asks for an administrator who signed in within the last hour.",
	},
	Indonesian: {
		"login.title":        "Masuk",
		"login.to_app":       "untuk melanjutkan ke",
		"login.to_latchkey":  "ke akun {1} Anda",
		"login.username":     "Nama pengguna",
		"login.password":     "Kata sandi",
		"login.submit":       "Masuk",
		"login.help":         "Lupa kata sandi? Administrator dapat memberi Anda kata sandi baru.",
		"login.signed_in_as": "Anda masuk sebagai {1}.",
		"login.wanted":       "Aplikasi ini meminta akun {1}.",
		"login.reauth":       "Aplikasi meminta Anda memastikan bahwa ini memang Anda.",

		"login.failed":            "Nama pengguna atau kata sandi salah",
		"login.failed.next":       "Periksa keduanya, lalu coba lagi. Huruf besar dan kecil pada kata sandi dibedakan.",
		"login.too_many":          "Terlalu banyak percobaan masuk",
		"login.too_many.next":     "Tunggu {1} menit, lalu coba lagi.",
		"login.too_many.next.one": "Tunggu 1 menit, lalu coba lagi.",

		"done.answered":      "Ini sudah dijawab",
		"done.answered.next": "Formulir terkirim dua kali. Lanjutkan ke aplikasi; Anda tidak perlu mengetik apa pun lagi.",

		"login.administration": "Administrasi memerlukan administrator yang masuk dalam satu jam terakhir.",
	},
}
