// Chromium for the tests: where it is, how it is started, and the few gestures that every sign-in needs.
// Run as a program it prints the path, or fails when there is none.

import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { tio } from './provider.mjs'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']

// --no-sandbox: the tests also run as root in containers, where Chromium's sandbox cannot start; only loopback pages are opened.
// The resolver rule keeps it to loopback: a page that reaches for any other host gets a refused look-up.
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

/** The path of a Chromium: CHROMIUM when set, otherwise the first of the usual places. */
export function chromiumPath() {
  for (const path of process.env.CHROMIUM ? [process.env.CHROMIUM] : places) {
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  throw new Error('no Chromium was found; run app/e2e/install.sh or set CHROMIUM=/path/to/chromium')
}

/** A headless Chromium. The caller closes it. */
export async function openChromium() {
  const { chromium } = await import('playwright-core')
  return chromium.launch({ executablePath: chromiumPath(), args: flags })
}

/** A separate browser profile with its own cookies; waits are bounded so that a stuck page fails soon. */
export async function newProfile(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(10_000)
  return context
}

/** Fills in the login page and sends it. */
export async function signIn(page, { username, password } = tio) {
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(password)
  await page.locator('#login-submit').click()
}

/** Presses Allow on the consent page. */
export const allow = (page) => page.locator('#consent-allow').click()

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(chromiumPath())
}
