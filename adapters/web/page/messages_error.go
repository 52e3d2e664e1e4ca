package page

// The words of requests that cannot be answered.

const (
	MsgUnknownClient        Message = "error.unknown_client"
	MsgRedirectMissing      Message = "error.redirect_missing"
	MsgRedirectUnregistered Message = "error.redirect_unregistered"
	MsgLogoutReturn         Message = "error.logout_return" // the post_logout_redirect_uri cannot be used
	MsgInvalidRequest       Message = "error.invalid_request"
	MsgServerFault          Message = "error.server_fault"
	MsgTooManyRequests      Message = "error.too_many"
	MsgUnavailable          Message = "error.unavailable" // the database is full or the keys are not ready
	MsgNotFound             Message = "error.not_found"
	MsgMethodNotAllowed     Message = "error.method_not_allowed"
	MsgSetupLinkInvalid     Message = "error.setup_link" // used, expired or never given
	MsgAdminOnly            Message = "error.admin_only"
	MsgResetLinkInvalid     Message = "error.reset_link" // used, replaced, expired or never given
)

var errorTexts = texts{
	English: {
		"error.phrase":    "Request error",
		"error.details":   "Details for support",
		"error.contact":   "If it happens again, give these details to your administrator.",
		"error.code":      "Error code",
		"error.reason":    "Reason",
		"error.reference": "Reference",
		"error.request":   "Request ID",
		"error.home":      "Go to the start page",
		"error.home_at":   "Go to {1}",

		"error.unknown_client":             "This application is not known here",
		"error.unknown_client.next":        "Go back to the application and tell its operator: its client_id is not registered with this server.",
		"error.redirect_missing":           "The application did not say where to send you back",
		"error.redirect_missing.next":      "Go back to the application and tell its operator: the request needs a redirect_uri.",
		"error.redirect_unregistered":      "The application asked to send you to an address that is not registered",
		"error.redirect_unregistered.next": "You were kept here to protect you. Tell the application's operator to register this redirect_uri exactly as it is sent.",
		"error.logout_return":              "You are not signed out yet",
		"error.logout_return.next":         "The application named an address to go on to that cannot be used. Sign out on the start page, and tell the application's operator the reason below.",
		"error.invalid_request":            "The application sent a request that cannot be used",
		"error.invalid_request.next":       "Go back to the application and try again. If it happens again, tell its operator the reason below.",
		"error.server_fault":               "Something went wrong on this server",
		"error.server_fault.next":          "It is not your fault. Wait a moment, then try again.",
		"error.too_many":                   "Too many requests came from your network",
		"error.too_many.next":              "Wait a minute, then try again.",
		"error.unavailable":                "Signing in is not possible right now",
		"error.unavailable.next":           "Nothing was lost. Try again in a few minutes.",
		"error.not_found":                  "There is no page at this address",
		"error.not_found.next":             "Check the address, or start again from your application.",
		"error.method_not_allowed":         "This address cannot be used in this way",
		"error.method_not_allowed.next":    "Go back to your application and start again.",
		"error.setup_link":                 "This set-up link was used already or has expired",
		"error.setup_link.next":            "If the administrator exists, sign in. If not, restart the server or run latchkey recover-admin to get a new link.",

		"error.reset_link":      "This link was used already, was replaced or has expired",
		"error.reset_link.next": "Ask your administrator for a new one. A link works once, for 15 minutes.",

		"error.admin_only":      "This page is for administrators",
		"error.admin_only.next": "Sign out and sign in as an administrator, or ask one to open it. The attempt was recorded.",
	},
	Indonesian: {
		"error.phrase":    "Galat permintaan",
		"error.details":   "Rincian untuk bantuan",
		"error.contact":   "Jika terjadi lagi, berikan rincian ini kepada administrator Anda.",
		"error.code":      "Kode galat",
		"error.reason":    "Alasan",
		"error.reference": "Rujukan",
		"error.request":   "ID permintaan",
		"error.home":      "Ke halaman awal",
		"error.home_at":   "Ke {1}",

		"error.unknown_client":             "Aplikasi ini tidak dikenal di sini",
		"error.unknown_client.next":        "Kembali ke aplikasi dan beri tahu pengelolanya: client_id-nya tidak terdaftar pada server ini.",
		"error.redirect_missing":           "Aplikasi tidak menyebutkan ke mana Anda harus dikembalikan",
		"error.redirect_missing.next":      "Kembali ke aplikasi dan beri tahu pengelolanya: permintaan memerlukan redirect_uri.",
		"error.redirect_unregistered":      "Aplikasi ingin mengirim Anda ke alamat yang tidak terdaftar",
		"error.redirect_unregistered.next": "Anda ditahan di sini demi keamanan. Beri tahu pengelola aplikasi agar mendaftarkan redirect_uri ini persis seperti yang dikirim.",
		"error.logout_return":              "Anda belum keluar",
		"error.logout_return.next":         "Aplikasi menyebutkan alamat tujuan yang tidak dapat dipakai. Keluarlah dari halaman awal, dan sampaikan alasan di bawah kepada pengelola aplikasi.",
		"error.invalid_request":            "Aplikasi mengirim permintaan yang tidak dapat dipakai",
		"error.invalid_request.next":       "Kembali ke aplikasi dan coba lagi. Jika terjadi lagi, sampaikan alasan di bawah kepada pengelolanya.",
		"error.server_fault":               "Terjadi kesalahan pada server ini",
		"error.server_fault.next":          "Ini bukan kesalahan Anda. Tunggu sebentar, lalu coba lagi.",
		"error.too_many":                   "Terlalu banyak permintaan datang dari jaringan Anda",
		"error.too_many.next":              "Tunggu satu menit, lalu coba lagi.",
		"error.unavailable":                "Saat ini tidak dapat masuk",
		"error.unavailable.next":           "Tidak ada yang hilang. Coba lagi dalam beberapa menit.",
		"error.not_found":                  "Tidak ada halaman di alamat ini",
		"error.not_found.next":             "Periksa alamatnya, atau mulai lagi dari aplikasi Anda.",
		"error.method_not_allowed":         "Alamat ini tidak dapat dipakai dengan cara ini",
		"error.method_not_allowed.next":    "Kembali ke aplikasi Anda dan mulai dari awal.",
		"error.setup_link":                 "Tautan penyiapan ini sudah dipakai atau sudah kedaluwarsa",
		"error.setup_link.next":            "Jika administrator sudah ada, silakan masuk. Jika belum, jalankan ulang server atau jalankan latchkey recover-admin untuk mendapat tautan baru.",

		"error.reset_link":      "Tautan ini sudah dipakai, sudah diganti, atau sudah kedaluwarsa",
		"error.reset_link.next": "Mintalah tautan baru kepada administrator Anda. Satu tautan berlaku satu kali, selama 15 menit.",

		"error.admin_only":      "Halaman ini untuk administrator",
		"error.admin_only.next": "Keluar lalu masuk sebagai administrator, atau minta seorang administrator membukanya. Percobaan ini dicatat.",
	},
}
