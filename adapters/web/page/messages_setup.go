package page

// The words of set-up and reset links, and of what is wrong with what was typed there.

const (
	// Problems with the fields of Setup.
	MsgUsernameInvalid  Message = "username.invalid"
	MsgUsernameTaken    Message = "username.taken"
	MsgEmailInvalid     Message = "email.invalid"
	MsgPasswordShort    Message = "password.short"
	MsgPasswordLong     Message = "password.long"
	MsgPasswordInvalid  Message = "password.invalid" // it has a NUL
	MsgPasswordCommon   Message = "password.common"
	MsgPasswordMismatch Message = "password.mismatch"

	// What was done, for Done.
	MsgAdministratorCreated Message = "done.administrator_created" // {1}: username
	MsgPasswordReset        Message = "done.password_reset"
)

var setupTexts = texts{
	English: {
		"reset.title":              "Choose a new password",
		"reset.intro":              "For the account {1}. Every browser and application that is signed in to it now is signed out.",
		"reset.submit":             "Set the password",
		"done.password_reset":      "Your new password is set",
		"done.password_reset.next": "Sign in with it from now on.",

		"setup.title":            "Create an administrator",
		"setup.intro":            "This link works once. The account you make here can manage this server.",
		"setup.issuer":           "Address of this server",
		"setup.issuer_check":     "Applications will use exactly this address. If it is wrong, stop here and correct it first.",
		"setup.username":         "Username",
		"setup.username_help":    "Small letters and digits, for example “sari”.",
		"setup.email":            "Email address",
		"setup.password":         "Password",
		"setup.password_help":    "15 characters or more. Spaces and all letters are welcome; a sentence is easy to remember.",
		"setup.password_again":   "Password again",
		"setup.submit":           "Create administrator",
		"setup.problems":         "{1} things need your attention.",
		"setup.problems.one":     "One thing needs your attention.",
		"username.invalid":       "This username cannot be used.",
		"username.invalid.next":  "Use up to 64 small letters, digits or . _ - + @, beginning with a letter or digit.",
		"username.taken":         "This username is taken.",
		"username.taken.next":    "Choose another one.",
		"email.invalid":          "This is not an email address.",
		"email.invalid.next":     "Write it like name@example.com.",
		"password.short":         "The password is too short.",
		"password.short.next":    "Use 15 characters or more.",
		"password.long":          "The password is too long.",
		"password.long.next":     "Use at most 1,024 bytes.",
		"password.invalid":       "The password has a character that cannot be used.",
		"password.invalid.next":  "Leave out control characters.",
		"password.common":        "This password is too easy to guess.",
		"password.common.next":   "Choose one without repeated or well-known words, and without your name or this site’s.",
		"password.mismatch":      "The two passwords are not the same.",
		"password.mismatch.next": "Type the same password in both fields.",

		"done.administrator_created":      "Administrator created",
		"done.administrator_created.next": "The account {1} is ready. Sign in with the password you just chose.",
	},
	Indonesian: {
		"reset.title":              "Pilih kata sandi baru",
		"reset.intro":              "Untuk akun {1}. Semua peramban dan aplikasi yang sekarang masuk ke akun ini akan dikeluarkan.",
		"reset.submit":             "Simpan kata sandi",
		"done.password_reset":      "Kata sandi baru Anda tersimpan",
		"done.password_reset.next": "Mulai sekarang, masuklah dengan kata sandi itu.",

		"setup.title":            "Buat administrator",
		"setup.intro":            "Tautan ini berlaku satu kali. Akun yang Anda buat di sini dapat mengelola server ini.",
		"setup.issuer":           "Alamat server ini",
		"setup.issuer_check":     "Aplikasi akan memakai alamat ini persis seperti tertulis. Jika salah, berhenti di sini dan perbaiki dahulu.",
		"setup.username":         "Nama pengguna",
		"setup.username_help":    "Huruf kecil dan angka, misalnya “sari”.",
		"setup.email":            "Alamat surel",
		"setup.password":         "Kata sandi",
		"setup.password_help":    "15 karakter atau lebih. Spasi dan semua huruf boleh; sebuah kalimat mudah diingat.",
		"setup.password_again":   "Ulangi kata sandi",
		"setup.submit":           "Buat administrator",
		"setup.problems":         "Ada {1} hal yang perlu diperbaiki.",
		"setup.problems.one":     "Ada satu hal yang perlu diperbaiki.",
		"username.invalid":       "Nama pengguna ini tidak dapat dipakai.",
		"username.invalid.next":  "Pakai paling banyak 64 huruf kecil, angka, atau . _ - + @, diawali huruf atau angka.",
		"username.taken":         "Nama pengguna ini sudah dipakai.",
		"username.taken.next":    "Pilih yang lain.",
		"email.invalid":          "Ini bukan alamat surel.",
		"email.invalid.next":     "Tulis seperti nama@example.com.",
		"password.short":         "Kata sandi terlalu pendek.",
		"password.short.next":    "Pakai 15 karakter atau lebih.",
		"password.long":          "Kata sandi terlalu panjang.",
		"password.long.next":     "Pakai paling banyak 1.024 bita.",
		"password.invalid":       "Kata sandi memuat karakter yang tidak dapat dipakai.",
		"password.invalid.next":  "Jangan pakai karakter kendali.",
		"password.common":        "Kata sandi ini terlalu mudah ditebak.",
		"password.common.next":   "Pilih yang tidak berisi kata berulang atau kata yang umum, dan tanpa nama Anda atau nama situs ini.",
		"password.mismatch":      "Kedua kata sandi tidak sama.",
		"password.mismatch.next": "Ketik kata sandi yang sama di kedua kolom.",

		"done.administrator_created":      "Administrator dibuat",
		"done.administrator_created.next": "Akun {1} sudah siap. Masuk dengan kata sandi yang baru saja Anda pilih.",
	},
}
