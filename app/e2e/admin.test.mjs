// Administration in Chromium: an administrator signs in, adds the second step that it asks for, reads why an application
// was refused and what became of the logout messages; nobody else sees any of it. axe-core looks at every page.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { administer, administrator, applications, happen, mistaken, routes } from './administration.mjs'
import { newProfile, openChromium, signIn } from './chromium.mjs'
import { scenario, startProvider, tio } from './provider.mjs'
import { listen } from './relying-party.mjs'

const ada = administrator('ada')
const budi = administrator('budi')

let provider, browser, app, rps, refusal

before(async () => {
  app = await listen(routes)
  rps = applications(app.origin)
  provider = await startProvider({ clients: rps, users: [tio, ada, budi] }, ['--egress-allow', '127.0.0.0/8'])
  browser = await openChromium()
  refusal = await happen(browser, provider, rps)
})

after(async () => {
  await browser?.close()
  await app?.close()
  await provider?.stop()
})

async function newPage(t, options) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && blocked.push(message.text()))
  return { page, blocked }
}

const words = {
  en: {
    person: ada, locale: 'en-GB', difference: 'it has a trailing slash, the registered one has none',
    fate: { meridian: /Delivered/, orders: /Tried.*Next try.*answered with status 503/s, wiki: /Failed for good.*answered with status 400/s },
  },
  id: {
    person: budi, locale: 'id-ID', difference: 'garis miring',
    fate: { meridian: /Terkirim/, orders: /Dicoba.*Dicoba lagi.*dengan status 503/s, wiki: /Gagal untuk seterusnya.*dengan status 400/s },
  },
}

for (const [language, { person, locale, difference, fate }] of Object.entries(words)) {
  scenario(`an administrator finds out what happened, in ${language} (AD-03)`, async (t) => {
    const { page, blocked } = await newPage(t, { locale })
    const faults = []
    const inspect = async (name) => {
      assert.equal(await page.locator('html').getAttribute('lang'), language)
      faults.push(...(await faultsOf(page, name)))
    }

    await administer(page, provider, person)
    await inspect('administration')

    await page.locator(`a[href$="ref=${refusal}"]`).click()
    assert.ok((await page.locator('main').textContent()).includes(difference))
    assert.equal(await page.locator('#ref').inputValue(), refusal)
    await inspect('the explanation')
    await page.locator('a[href*="client_id=meridian"]').click()
    await page.locator(`a[href$="ref=${refusal}"]`).waitFor()
    await inspect('the refusals of a client')
    await page.locator('#ref').fill('err_nothing')
    await page.locator('#explain-submit').click()
    await page.locator('[role=alert]').waitFor()
    await inspect('a reference that leads nowhere')

    await page.locator('main a[href$="/admin"]').click()
    await page.locator('#deliveries').click()
    await page.waitForURL(`${provider.issuer}/admin/logout`)
    for (const { client_id: id, client_name: name } of rps) {
      const card = await page.locator('.cards > li', { hasText: name }).innerText()
      assert.match(card, fate[id])
      assert.match(card, /\btio\b/)
    }
    await inspect('the logout messages')
    await page.locator('a[href*="client_id=orders"]').click()
    assert.equal(await page.locator('#client_id').inputValue(), 'orders')

    await page.goto(mistaken(provider, rps[0]))
    assert.ok((await page.locator('main').textContent()).includes(difference), 'an administrator reads it where it happens')
    await inspect('an error as an administrator sees it')
    assert.deepEqual(faults, [])
    assert.deepEqual(blocked, [], 'no page asks for what its own policy forbids (WB-04)')
  })
}

scenario('the pages of administration ask strangers to sign in, and are closed to a user (AD-03)', async (t) => {
  const { page } = await newPage(t)
  const pages = ['/admin', `/admin/explain?ref=${refusal}`, '/admin/logout'].map((path) => `${provider.issuer}${path}`)
  for (const url of pages) {
    await page.goto(url)
    await page.locator('#login-submit').waitFor()
  }
  await page.goto(`${provider.issuer}/account`)
  await signIn(page, tio)
  await page.waitForURL(`${provider.issuer}/account`)
  for (const url of pages) {
    const response = await page.goto(url)
    assert.equal(response.status(), 403, url)
    assert.match(await page.locator('h1').textContent(), /for administrators/)
    assert.ok(!/Kopi Orders|trailing slash/.test(await page.content()), url)
  }
  assert.deepEqual(await faultsOf(page, 'no administrator'), [])
  await page.goto(provider.issuer)
  assert.equal(await page.locator('a[href^="/admin"]').count(), 0)
})
