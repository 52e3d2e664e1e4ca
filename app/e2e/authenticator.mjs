// An authenticator app: it reads the QR code off the screen with a real reader, and shows the codes of RFC 6238.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const reader = await readFile(new URL('./node_modules/jsqr/dist/jsQR.js', import.meta.url), 'utf8')
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** What a camera reads in a picture of the element: the pixels of a screenshot, in a page that knows nothing else. */
export async function scan(page, selector) {
  const picture = (await page.locator(selector).screenshot()).toString('base64')
  const blank = await page.context().newPage()
  try {
    await blank.evaluate(reader)
    return await blank.evaluate(async (png) => {
      const image = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))]))
      const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
      canvas.drawImage(image, 0, 0)
      const { data, width, height } = canvas.getImageData(0, 0, image.width, image.height)
      return window.jsQR(data, width, height)?.data ?? ''
    }, picture)
  } finally {
    await blank.close()
  }
}

/** An app that holds the account of an otpauth URI. code(n) is the code of n steps from now. */
export function authenticator(uri) {
  const url = new URL(uri)
  const seed = bytes(url.searchParams.get('secret'))
  return {
    issuer: url.searchParams.get('issuer'),
    label: decodeURIComponent(url.pathname),
    secret: url.searchParams.get('secret'),
    code(offset = 0) {
      const counter = Buffer.alloc(8)
      counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + offset))
      const mac = createHmac('sha1', seed).update(counter).digest()
      return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
    },
  }
}

/** Waits until a step of half a minute has just begun, so that what follows happens within one. */
export async function stepBegins() {
  const gone = Date.now() % 30_000
  if (gone > 10_000) await sleep(30_000 - gone + 100)
}

function bytes(base32) {
  let bits = ''
  for (const letter of base32) {
    const value = alphabet.indexOf(letter)
    assert.ok(value >= 0, `${letter} is not base32`)
    bits += value.toString(2).padStart(5, '0')
  }
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
}
