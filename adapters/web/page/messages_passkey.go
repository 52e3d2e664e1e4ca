package page

// The words of passkeys.

const (
	MsgPasskeyFailed     Message = "passkey.failed"
	MsgPasskeyOver       Message = "passkey.over"
	MsgPasskeyUnverified Message = "passkey.unverified"
	MsgPasskeyRefused    Message = "passkey.refused"
	MsgPasskeyKnown      Message = "passkey.registered"
	MsgPasskeyMany       Message = "passkey.many"
	MsgPasskeyAdded      Message = "changed.passkey"

	// On buttons.
	MsgUsePasskey     Message = "link.passkey"
	MsgAddPasskey     Message = "link.passkey_add"
	MsgConfirmPasskey Message = "link.passkey_confirm"
)

var passkeyTexts = texts{
	English: {
		"link.passkey":            "Use a passkey",
		"link.passkey_add":        "Add a passkey",
		"link.passkey_confirm":    "Remove it with a passkey",
		"passkey.failed":          "This passkey cannot be used here",
		"passkey.failed.next":     "It may have been removed, or belong to another account. Try another one, or sign in in another way.",
		"passkey.over":            "The request for a passkey is over",
		"passkey.over.next":       "It waits for five minutes, and is answered once. Try again.",
		"passkey.unverified":      "Your device did not check that it is you",
		"passkey.unverified.next": "Set a PIN, a fingerprint or a face on it, or sign in with your password and use it as the second step.",
		"passkey.refused":         "The new passkey did not arrive as it should",
		"passkey.refused.next":    "Nothing was added. Try again, or use another device.",
		"passkey.registered":      "This passkey is registered already",
		"passkey.registered.next": "Use another device, or remove the passkey first.",
		"passkey.many":            "You have as many passkeys as an account can have",
		"passkey.many.next":       "Remove one that you no longer use, then try again.",
		"passkey.cancelled":       "Nothing happened: it was cancelled, took too long, or no passkey was found. Try again, or go on in another way.",
		"passkey.known":           "This device has a passkey for your account already. Use another one.",
		"passkey.unsupported":     "This device cannot make or use such a passkey. Use another one.",
		"passkey.fault":           "The passkey could not be asked for. Reload this page and try again.",
		"changed.passkey":         "Your passkey was added",
		"changed.passkey.next":    "You can sign in with it from now on, without a password.",
		"passkeys.title":          "Passkeys",
		"passkeys.intro":          "A passkey signs you in with your fingerprint, your face or the PIN of your device. There is nothing to type and nothing that a false page could steal.",
		"passkeys.yours":          "Your passkeys",
		"passkeys.never":          "Never",
		"passkeys.backup":         "Kept",
		"passkeys.synced":         "On more than one device",
		"passkeys.syncable":       "On one device; it can be copied to others",
		"passkeys.bound":          "On one device only",
		"passkeys.model":          "Model of the device",
		"passkeys.add":            "Add a passkey",
		"passkeys.name_help":      "So that you recognise it later, such as “work laptop”.",
		"passkeys.script":         "This needs a browser that knows passkeys and runs the script of this page.",
		"passkeys.address":        "Browsers make no passkeys for this server, because its address is a number. Your administrator can give it a name.",
		"account.add_passkey":     "Add a passkey",
		"enrol.passkey":           "Use a passkey instead",
		"factor.passkey_intro":    "Show your passkey to go on.",
		"factor.passkey_script":   "This needs a browser that knows passkeys and runs the script of this page. Without one, use a recovery code.",
	},
	Indonesian: {
		"link.passkey":            "Gunakan kunci sandi",
		"link.passkey_add":        "Tambahkan kunci sandi",
		"link.passkey_confirm":    "Hapus dengan kunci sandi",
		"passkey.failed":          "Kunci sandi ini tidak dapat digunakan di sini",
		"passkey.failed.next":     "Mungkin sudah dihapus, atau milik akun lain. Coba yang lain, atau masuk dengan cara lain.",
		"passkey.over":            "Permintaan kunci sandi sudah berakhir",
		"passkey.over.next":       "Permintaan menunggu lima menit dan hanya dijawab satu kali. Coba lagi.",
		"passkey.unverified":      "Perangkat Anda tidak memeriksa bahwa ini benar Anda",
		"passkey.unverified.next": "Atur PIN, sidik jari, atau wajah di perangkat itu, atau masuk dengan kata sandi dan gunakan sebagai langkah kedua.",
		"passkey.refused":         "Kunci sandi baru tidak tiba sebagaimana mestinya",
		"passkey.refused.next":    "Tidak ada yang ditambahkan. Coba lagi, atau gunakan perangkat lain.",
		"passkey.registered":      "Kunci sandi ini sudah terdaftar",
		"passkey.registered.next": "Gunakan perangkat lain, atau hapus dahulu kunci sandi itu.",
		"passkey.many":            "Jumlah kunci sandi Anda sudah mencapai batas",
		"passkey.many.next":       "Hapus satu yang tidak lagi Anda gunakan, lalu coba lagi.",
		"passkey.cancelled":       "Tidak terjadi apa-apa: dibatalkan, terlalu lama, atau tidak ada kunci sandi. Coba lagi, atau lanjutkan dengan cara lain.",
		"passkey.known":           "Perangkat ini sudah memiliki kunci sandi untuk akun Anda. Gunakan yang lain.",
		"passkey.unsupported":     "Perangkat ini tidak dapat membuat atau menggunakan kunci sandi seperti itu. Gunakan yang lain.",
		"passkey.fault":           "Kunci sandi tidak dapat diminta. Muat ulang halaman ini dan coba lagi.",
		"changed.passkey":         "Kunci sandi Anda telah ditambahkan",
		"changed.passkey.next":    "Mulai sekarang Anda dapat masuk dengannya, tanpa kata sandi.",
		"passkeys.title":          "Kunci sandi",
		"passkeys.intro":          "Kunci sandi memasukkan Anda dengan sidik jari, wajah, atau PIN perangkat. Tidak ada yang perlu diketik dan tidak ada yang dapat dicuri oleh halaman palsu.",
		"passkeys.yours":          "Kunci sandi Anda",
		"passkeys.never":          "Belum pernah",
		"passkeys.backup":         "Disimpan",
		"passkeys.synced":         "Di lebih dari satu perangkat",
		"passkeys.syncable":       "Di satu perangkat; dapat disalin ke yang lain",
		"passkeys.bound":          "Di satu perangkat saja",
		"passkeys.model":          "Model perangkat",
		"passkeys.add":            "Tambahkan kunci sandi",
		"passkeys.name_help":      "Agar Anda mengenalinya nanti, misalnya “laptop kantor”.",
		"passkeys.script":         "Ini memerlukan peramban yang mengenal kunci sandi dan menjalankan skrip halaman ini.",
		"passkeys.address":        "Peramban tidak membuat kunci sandi untuk server ini, karena alamatnya berupa angka. Administrator Anda dapat memberinya nama.",
		"account.add_passkey":     "Tambahkan kunci sandi",
		"enrol.passkey":           "Gunakan kunci sandi saja",
		"factor.passkey_intro":    "Tunjukkan kunci sandi Anda untuk melanjutkan.",
		"factor.passkey_script":   "Ini memerlukan peramban yang mengenal kunci sandi dan menjalankan skrip halaman ini. Tanpa itu, gunakan kode pemulihan.",
	},
}
