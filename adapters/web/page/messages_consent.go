package page

// The words of choosing an account and of what an application may do.

var consentTexts = texts{
	English: {
		"consent.title":           "Allow {1} to use your account?",
		"consent.returns":         "You will return to",
		"consent.account":         "Your account",
		"consent.switch":          "Not you? Use another account",
		"consent.scopes":          "{1} will be able to:",
		"consent.required":        "Always needed",
		"consent.granted":         "Already allowed",
		"consent.offline":         "Access continues while you are away, until you or your administrator withdraw it.",
		"consent.remember":        "Your answer is remembered. You are asked again only if the application wants more.",
		"consent.unverified":      "Your administrator has not checked this application.",
		"consent.unverified.next": "It registered itself. Allow it only if you trust {1} and started this yourself.",
		"consent.allow":           "Allow",
		"consent.deny":            "Deny",

		"scope.openid":         "Know that it is you",
		"scope.profile":        "See your name and profile",
		"scope.email":          "See your email address",
		"scope.address":        "See your postal address",
		"scope.phone":          "See your phone number",
		"scope.groups":         "See the groups you belong to",
		"scope.offline_access": "Stay connected while you are away",

		"select.title":    "Choose an account",
		"select.current":  "Continue as",
		"select.other":    "Use another account",
		"select.other_by": "Sign in with a different username",
	},
	Indonesian: {
		"consent.title":           "Setujui {1} memakai akun Anda?",
		"consent.returns":         "Anda akan kembali ke",
		"consent.account":         "Akun Anda",
		"consent.switch":          "Bukan Anda? Pakai akun lain",
		"consent.scopes":          "{1} akan dapat:",
		"consent.required":        "Selalu diperlukan",
		"consent.granted":         "Sudah disetujui",
		"consent.offline":         "Akses tetap berlaku saat Anda tidak hadir, sampai Anda atau administrator mencabutnya.",
		"consent.remember":        "Jawaban Anda diingat. Anda ditanya lagi hanya jika aplikasi meminta lebih banyak.",
		"consent.unverified":      "Aplikasi ini belum diperiksa oleh administrator Anda.",
		"consent.unverified.next": "Aplikasi ini mendaftarkan dirinya sendiri. Setujui hanya jika Anda memercayai {1} dan memulai ini sendiri.",
		"consent.allow":           "Setujui",
		"consent.deny":            "Tolak",

		"scope.openid":         "Mengetahui bahwa ini memang Anda",
		"scope.profile":        "Melihat nama dan profil Anda",
		"scope.email":          "Melihat alamat surel Anda",
		"scope.address":        "Melihat alamat pos Anda",
		"scope.phone":          "Melihat nomor telepon Anda",
		"scope.groups":         "Melihat grup yang Anda ikuti",
		"scope.offline_access": "Tetap terhubung saat Anda tidak hadir",

		"select.title":    "Pilih akun",
		"select.current":  "Lanjutkan sebagai",
		"select.other":    "Pakai akun lain",
		"select.other_by": "Masuk dengan nama pengguna yang berbeda",
	},
}
