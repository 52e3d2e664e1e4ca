// The demo application of quickstart, in Chromium: its pages in both languages, themes and widths, without JavaScript and
// with the keyboard alone, and what it keeps to itself.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before } from 'node:test'
import { promisify } from 'node:util'
import { faultsOf } from './accessibility.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { scenario, startProvider, startQuickstart } from './provider.mjs'

const ada = { username: 'ada', password: 'seven quiet harbours at dawn' }

let fresh, browser

before(async () => {
  fresh = await startQuickstart()
  fresh.keepSecret(ada.password)
  browser = await openChromium()
  const context = await newProfile(browser)
  const page = await context.newPage()
  await page.goto(fresh.setupLink())
  for (const [name, value] of [['username', ada.username], ['email', 'ada@example.com'], ['password', ada.password], ['password_again', ada.password]]) {
    await page.locator(`input[name=${name}]`).fill(value)
  }
  await page.locator('#setup-submit').click()
  await page.locator('input[name=password_again]').waitFor({ state: 'detached' })
  await context.close()
})

after(async () => {
  await browser?.close()
  await fresh?.stop()
})

/** Opens a page in a new profile and collects what its Content-Security-Policy blocked. */
async function newPage(t, options) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && blocked.push(message.text()))
  return { context, page, blocked }
}

/** Signs in to the demo, whether or not consent was given before. */
async function enter(page) {
  await page.locator('#demo-sign-in').click()
  await signIn(page, ada)
  await page.locator('#consent-allow, #demo-sign-out').first().waitFor()
  if (await page.locator('#consent-allow').count()) await allow(page)
  await page.waitForURL(`${fresh.issuer}/demo/flow`)
}

for (const [language, locale] of [['en', 'en-GB'], ['id', 'id-ID']]) {
  scenario(`the demo in ${language} breaks no rule of WCAG 2.2 AA, in both themes, at 320 px and 1280 px`, async (t) => {
    const { page, blocked } = await newPage(t, { locale })
    const faults = []
    const inspect = async (name) => {
      assert.equal(await page.locator('html').getAttribute('lang'), language, `language of ${name}`)
      assert.deepEqual(await page.locator('.checks strong').allTextContents(), [], `every check of ${name} is ticked`)
      // What is folded counts too.
      await page.locator('details').evaluateAll((all) => all.forEach((one) => (one.open = true)))
      faults.push(...(await faultsOf(page, name)))
    }
    await page.goto(`${fresh.issuer}/demo`)
    await inspect('start')
    await enter(page)
    await inspect('flow')
    await page.locator('#demo-refresh').click()
    await page.locator('#demo-replay').waitFor()
    await inspect('flow, refreshed')
    await page.locator('#demo-replay').click()
    await page.locator('#demo-replay').waitFor({ state: 'detached' })
    assert.match(await page.locator('main').textContent(), /latchkey explain err_\w+/)
    await inspect('flow, after a replay')
    await page.locator('#demo-sign-out').click()
    await page.waitForURL(`${fresh.issuer}/demo/signed-out?**`)
    await inspect('signed out')
    await page.goto(`${fresh.issuer}/demo/callback?code=x&state=y`)
    await inspect('an answer that nobody asked for')
    assert.deepEqual(faults, [])
    assert.deepEqual(blocked, [], 'no page asks for what its own policy forbids (WB-04)')
  })
}

scenario('the demo works without JavaScript, and no page of it shows a credential', async (t) => {
  const { context, page } = await newPage(t, { javaScriptEnabled: false })
  const seen = []
  page.on('response', async (response) => {
    const url = new URL(response.url())
    const location = response.headers().location
    if (location?.includes('code=')) seen.push(new URL(location, url).searchParams.get('code'))
  })
  await page.goto(`${fresh.issuer}/demo`)
  await enter(page)
  await page.locator('#demo-refresh').click()
  await page.locator('#demo-replay').waitFor()
  const text = await page.content()
  assert.equal(seen.length, 1)
  assert.ok(!text.includes(seen[0]), 'the code is shortened')
  assert.doesNotMatch(text, /[\w-]{30,}\.[\w-]{30,}\.[\w-]{30,}/, 'no whole token')
  fresh.keepSecret(...seen)
  for (const cookie of await context.cookies(`${fresh.issuer}/demo`)) {
    if (cookie.name !== 'latchkey-demo') continue
    assert.equal(cookie.httpOnly, true)
    assert.equal(cookie.sameSite, 'Lax')
    assert.equal(cookie.path, '/demo')
    fresh.keepSecret(cookie.value)
  }
})

scenario('the demo with the keyboard alone', async (t) => {
  const { page } = await newPage(t)
  const press = async (selector) => {
    for (let presses = 0; presses < 60; presses++) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
    }
    assert.fail(`Tab does not reach ${selector}`)
  }
  await page.goto(`${fresh.issuer}/demo`)
  await press('#demo-sign-in')
  await signIn(page, ada)
  await page.waitForURL(`${fresh.issuer}/demo/flow`)
  await press('#demo-refresh')
  await page.locator('#demo-replay').waitFor()
})

scenario('the command that the demo shows for a refusal explains it', async (t) => {
  const { page } = await newPage(t)
  await page.goto(`${fresh.issuer}/demo`)
  await enter(page)
  await page.locator('#demo-refresh').click()
  await page.locator('#demo-replay').click()
  const shown = await page.locator('code.copy', { hasText: 'latchkey explain' }).textContent()
  const [program, ...args] = shown.split(' ')
  assert.equal(program, 'latchkey')
  const { stdout } = await promisify(execFile)(process.env.LATCHKEY_BIN, args)
  assert.match(stdout, /invalid_grant/)
  assert.match(stdout, /demo/)
})

scenario('latchkey serve has no demo', async (t) => {
  const provider = await startProvider({ clients: [] })
  t.after(() => provider.stop())
  const { page } = await newPage(t)
  assert.equal((await page.goto(`${provider.issuer}/demo`)).status(), 404)
  await page.goto(`${provider.issuer}/`)
  assert.equal(await page.locator('#demo').count(), 0)
})
