package page

// The words of the first page.

var homeTexts = texts{
	English: {
		"home.heading":      "One sign-in for your applications",
		"home.intro":        "Your applications send you here to sign in, so your password stays in one place.",
		"home.account":      "You are signed in as",
		"home.your_account": "Your account",
		"home.sign_in":      "Sign in",
		"home.sign_out":     "Sign out",
		"home.demo":         "See a sign-in from the inside",
		"home.demo_help":    "A small application runs beside this server while you try it. Sign in there, and it shows each message that was exchanged.",
		"home.demo_open":    "Open the demo application",
		"home.connect":      "Connect an application",
		"home.connect_help": "Most applications need only the issuer; they find everything else in the discovery document.",
		"home.issuer":       "Issuer",
		"home.discovery":    "Discovery",

		"home.admin": "Administration",
	},
	Indonesian: {
		"home.heading":      "Satu akun untuk semua aplikasi Anda",
		"home.intro":        "Aplikasi mengarahkan Anda ke sini untuk masuk, sehingga kata sandi Anda cukup ada di satu tempat.",
		"home.account":      "Anda masuk sebagai",
		"home.your_account": "Akun Anda",
		"home.sign_in":      "Masuk",
		"home.sign_out":     "Keluar",
		"home.demo":         "Lihat proses masuk dari dalam",
		"home.demo_help":    "Sebuah aplikasi kecil berjalan di samping server ini selama Anda mencoba. Masuklah di sana, dan setiap pesan yang dipertukarkan akan ditunjukkan.",
		"home.demo_open":    "Buka aplikasi demo",
		"home.connect":      "Hubungkan aplikasi",
		"home.connect_help": "Sebagian besar aplikasi hanya memerlukan penerbit; selebihnya dibaca dari dokumen discovery.",
		"home.issuer":       "Penerbit (issuer)",
		"home.discovery":    "Dokumen discovery",

		"home.admin": "Administrasi",
	},
}
