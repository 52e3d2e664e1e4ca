package page

// The texts of the logout messages in administration.

// Why an attempt failed, and what to do about it.
const (
	MsgDeliveryStatus    Message = "undelivered.status" // {1}: HTTP status
	MsgDeliveryDenied    Message = "undelivered.denied"
	MsgDeliveryUntrusted Message = "undelivered.untrusted"
	MsgDeliveryNoAnswer  Message = "undelivered.no_answer"
	MsgDeliveryWithdrawn Message = "undelivered.withdrawn"
)

var adminEnglish = map[Message]string{
	"deliveries.title":      "Logout messages",
	"deliveries.intro":      "Applications with a backchannel_logout_uri are told when a session ends. What does not arrive is sent again for 24 hours, less and less often. After that, the person may still be signed in there.",
	"deliveries.list":       "Last messages",
	"deliveries.none":       "There was nothing to send in the last 30 days.",
	"deliveries.more":       "The last {1} are shown. latchkey logout list shows more.",
	"deliveries.delivered":  "Delivered",
	"deliveries.failed":     "Failed for good",
	"deliveries.tried":      "Tried {1} times",
	"deliveries.tried.one":  "Tried once",
	"deliveries.unsent":     "Not sent yet",
	"deliveries.user":       "User",
	"deliveries.deleted":    "Deleted",
	"deliveries.signed_out": "Signed out",
	"deliveries.given_up":   "Given up",
	"deliveries.next":       "Next try",
	"deliveries.problem":    "Last error",
	"undelivered.status":    "The application answered with status {1}, not 200. Look for the reason in its log.",
	"undelivered.denied":    "The server may not reach the address. Allow its network with --egress-allow.",
	"undelivered.untrusted": "The certificate of the application is not trusted. Renew it, or name its authority with --egress-ca.",
	"undelivered.no_answer": "The application did not answer in time. Check that it runs and can be reached from here.",
	"undelivered.withdrawn": "The client is disabled or has no backchannel_logout_uri any more, so nothing was sent. Sign the person out there if they have to be.",
}

var adminIndonesian = map[Message]string{
	"deliveries.title":      "Pesan keluar",
	"deliveries.intro":      "Aplikasi yang memiliki backchannel_logout_uri diberi tahu saat sebuah sesi berakhir. Yang tidak sampai dikirim lagi selama 24 jam, makin lama makin jarang. Setelah itu, orangnya mungkin masih masuk di sana.",
	"deliveries.list":       "Pesan terakhir",
	"deliveries.none":       "Tidak ada yang perlu dikirim dalam 30 hari terakhir.",
	"deliveries.more":       "{1} yang terakhir ditampilkan. latchkey logout list menampilkan lebih banyak.",
	"deliveries.delivered":  "Terkirim",
	"deliveries.failed":     "Gagal untuk seterusnya",
	"deliveries.tried":      "Dicoba {1} kali",
	"deliveries.tried.one":  "Dicoba satu kali",
	"deliveries.unsent":     "Belum dikirim",
	"deliveries.user":       "Pengguna",
	"deliveries.deleted":    "Dihapus",
	"deliveries.signed_out": "Keluar",
	"deliveries.given_up":   "Dihentikan",
	"deliveries.next":       "Dicoba lagi",
	"deliveries.problem":    "Kesalahan terakhir",
	"undelivered.status":    "Aplikasi menjawab dengan status {1}, bukan 200. Cari sebabnya di log aplikasi itu.",
	"undelivered.denied":    "Server tidak boleh menghubungi alamat itu. Izinkan jaringannya dengan --egress-allow.",
	"undelivered.untrusted": "Sertifikat aplikasi tidak tepercaya. Perbarui, atau sebutkan otoritasnya dengan --egress-ca.",
	"undelivered.no_answer": "Aplikasi tidak menjawab tepat waktu. Pastikan aplikasi berjalan dan dapat dihubungi dari sini.",
	"undelivered.withdrawn": "Klien dinonaktifkan atau tidak lagi memiliki backchannel_logout_uri, jadi tidak ada yang dikirim. Keluarkan orangnya di sana bila perlu.",
}
