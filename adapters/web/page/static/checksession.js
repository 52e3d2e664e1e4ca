'use strict'
// Answers a relying party's question "has the browser's sign-in changed?" (OIDC Session Management 1.0 §3.2). It reads one
// cookie, and nothing leaves the browser. SHA-256 is written out because crypto.subtle is missing where a frame above is
// not secure.
const sha256 = (text) => {
  const bytes = Array.from(new TextEncoder().encode(text))
  const length = bytes.length * 8
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0
  const primes = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n)
  const k = primes.map((p) => fraction(Math.cbrt(p)))
  const h = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)))
  bytes.push(0x80)
  while (bytes.length % 64 !== 56) bytes.push(0)
  for (let i = 56; i >= 0; i -= 8) bytes.push(i > 31 ? 0 : (length >>> i) & 255)
  const turn = (x, n) => (x >>> n) | (x << (32 - n))
  for (let at = 0; at < bytes.length; at += 64) {
    const w = []
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        const j = at + 4 * i
        w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3]
        continue
      }
      const x = w[i - 15], y = w[i - 2]
      w[i] = (w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0
    }
    let [a, b, c, d, e, f, g, z] = h
    for (let i = 0; i < 64; i++) {
      const one = (z + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      z = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0
    }
    [a, b, c, d, e, f, g, z].forEach((v, i) => { h[i] = (h[i] + v) | 0 })
  }
  const raw = h.map((v) => String.fromCharCode(v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255)).join('')
  return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}
const browserState = () => {
  const pair = document.cookie.split('; ').find((c) => c.startsWith(COOKIE + '='))
  return pair ? pair.slice(COOKIE.length + 1) : ''
}
addEventListener('message', (event) => {
  if (typeof event.data !== 'string' || !event.source || event.origin === 'null') return
  const asked = /^(\S+) ([\w-]+)\.([\w-]+)$/.exec(event.data)
  let answer = 'error'
  if (asked) {
    const [, client, hash, salt] = asked
    answer = sha256([client, event.origin, browserState(), salt].join(' ')) === hash ? 'unchanged' : 'changed'
  }
  event.source.postMessage(answer, event.origin)
})
