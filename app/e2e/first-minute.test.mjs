// The first minute of somebody who has nothing yet: one command in an empty folder, the link it prints, an administrator,
// and a complete sign-in to the demo application. How long it takes is printed, not judged.

import assert from 'node:assert/strict'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { scenario, startQuickstart } from './provider.mjs'

const ada = { username: 'ada', password: 'seven quiet harbours at dawn' }

scenario('from an empty folder to a complete sign-in, refresh and sign-out (AD-01)', async (t) => {
  const browser = await openChromium()
  t.after(() => browser.close())
  const page = await (await newProfile(browser)).newPage()
  const begun = performance.now()
  const took = []
  const reached = (what) => took.push(`${((performance.now() - begun) / 1000).toFixed(1)} s  ${what}`)

  const fresh = await startQuickstart()
  t.after(() => fresh.stop())
  fresh.keepSecret(ada.password)
  reached('serving')
  assert.ok(fresh.log().includes(`Then try ${fresh.issuer}/demo`), `quickstart names the demo:\n${fresh.log()}`)

  await page.goto(fresh.setupLink())
  for (const [name, value] of [['username', ada.username], ['email', 'ada@example.com'], ['password', ada.password], ['password_again', ada.password]]) {
    await page.locator(`input[name=${name}]`).fill(value)
  }
  await page.locator('#setup-submit').click()
  await page.locator('input[name=password_again]').waitFor({ state: 'detached' })
  reached('administrator made')

  // From here on only what the pages offer: sign in, the link on the home page, the demo's button.
  await page.locator('main a.button').click()
  await signIn(page, ada)
  await page.locator('#demo').click()
  await page.locator('#demo-sign-in').click()
  await allow(page)
  await page.waitForURL(`${fresh.issuer}/demo/flow`)
  reached('signed in to the demo application')
  await passed(page, 15)

  await page.locator('#demo-refresh').click()
  await page.locator('#demo-replay').waitFor()
  await passed(page, 24)
  reached('refreshed')

  await page.locator('#demo-sign-out').click()
  await page.waitForURL(`${fresh.issuer}/demo/signed-out?**`)
  await passed(page, 2)
  await page.goto(`${fresh.issuer}/`)
  await page.locator('#sign-in').waitFor()
  reached('signed out, at the provider too')
  t.diagnostic(`first minute:\n  ${took.join('\n  ')}`)
})

/** Every check of the page is ticked, and there are at least so many. */
async function passed(page, least) {
  assert.deepEqual(await page.locator('.checks strong').allTextContents(), [])
  const found = await page.locator('.checks li').count()
  assert.ok(found >= least, `${found} checks on ${page.url()}, expected ${least}`)
}
