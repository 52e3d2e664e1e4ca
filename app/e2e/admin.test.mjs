// Administration in Chromium: an administrator signs in, adds the second step that it asks for, reads why an application
// was refused and what became of the logout messages; nobody else sees any of it. axe-core looks at every page.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { authenticator } from './authenticator.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider, tio } from './provider.mjs'
import { authorizationRequest, html, listen, token } from './relying-party.mjs'

const administrator = (username) => ({ username, password: `seven quiet harbours of ${username}`, email: `${username}@example.com`, admin: true })
const ada = administrator('ada')
const budi = administrator('budi')

let provider, browser, app, rps, refusal

before(async () => {
  app = await listen({
    '/callback': html('Signed in'),
    '/hears': (request, response) => response.writeHead(200).end(),
    '/fails': (request, response) => response.writeHead(503).end(),
    '/refuses': (request, response) => response.writeHead(400).end(),
  })
  rps = ['hears', 'fails', 'refuses'].map((what) => client({
    client_id: what, client_secret: newSecret(), client_name: `The one that ${what}`, redirect_uris: [`${app.origin}/callback`],
    backchannel_logout_uri: `${app.origin}/${what}`,
  }))
  provider = await startProvider({ clients: rps, users: [tio, ada, budi] }, ['--egress-allow', '127.0.0.0/8'])
  browser = await openChromium()
  await somethingHappens()
})

after(async () => {
  await browser?.close()
  await app?.close()
  await provider?.stop()
})

/** A person signs in to all three applications and out again; an application sends an address that is not registered. */
async function somethingHappens() {
  const context = await newProfile(browser)
  const page = await context.newPage()
  for (const rp of rps) {
    const request = authorizationRequest(provider.issuer, rp)
    await page.goto(request.url)
    if (await page.locator('input[name=password]').count()) await signIn(page)
    await page.locator('#consent-allow').waitFor()
    await allow(page)
    await page.waitForURL(`${app.origin}/**`)
    const { body } = await token(provider.issuer, rp, {
      grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: request.verifier,
    })
    provider.keepSecret(body.access_token, body.refresh_token)
  }
  await page.goto(provider.issuer)
  await page.locator('#sign-out').click()
  await page.locator('.outcomes').waitFor()
  const response = await page.goto(authorizationRequest(provider.issuer, rps[0], { redirect_uri: `${app.origin}/callback/` }).url)
  assert.equal(response.status(), 400)
  refusal = response.headers()['x-request-id'].replace('req_', 'err_')
  assert.ok(!(await page.locator('main').textContent()).includes('trailing slash'), 'nobody else reads the explanation')
  await context.close()
}

async function newPage(t, options) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && blocked.push(message.text()))
  return { page, blocked }
}

/** Adds the authenticator app that administration asks for. */
async function enrol(page) {
  await page.locator('#enrol-totp').click()
  const phone = authenticator(await page.locator('#otpauth').getAttribute('href'))
  provider.keepSecret(phone.secret)
  await page.locator('#code').fill(phone.code())
  await page.locator('#totp-submit').click()
  await page.locator('#codes').waitFor()
  provider.keepSecret(...(await page.locator('#codes code').allTextContents()))
  await page.locator('#kept').check()
  await page.locator('#recovery-continue').click()
}

const words = {
  en: {
    person: ada, locale: 'en-GB', difference: 'it has a trailing slash, the registered one has none',
    fate: { hears: /Delivered/, fails: /Tried.*Next try.*answered with status 503/s, refuses: /Failed for good.*answered with status 400/s },
  },
  id: {
    person: budi, locale: 'id-ID', difference: 'garis miring',
    fate: { hears: /Terkirim/, fails: /Dicoba.*Dicoba lagi.*dengan status 503/s, refuses: /Gagal untuk seterusnya.*dengan status 400/s },
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

    await page.goto(`${provider.issuer}/admin`)
    await signIn(page, person)
    await enrol(page)
    await page.waitForURL(`${provider.issuer}/admin`)
    await inspect('administration')

    await page.locator(`a[href$="ref=${refusal}"]`).click()
    assert.ok((await page.locator('main').textContent()).includes(difference))
    assert.equal(await page.locator('#ref').inputValue(), refusal)
    await inspect('the explanation')
    await page.locator('a[href*="client_id=hears"]').click()
    await page.locator(`a[href$="ref=${refusal}"]`).waitFor()
    await inspect('the refusals of a client')
    await page.locator('#ref').fill('err_nothing')
    await page.locator('#explain-submit').click()
    await page.locator('[role=alert]').waitFor()
    await inspect('a reference that leads nowhere')

    await page.locator('main a[href$="/admin"]').click()
    await page.locator('#deliveries').click()
    await page.waitForURL(`${provider.issuer}/admin/logout`)
    for (const [id, expected] of Object.entries(fate)) {
      const card = page.locator('.cards > li', { hasText: `The one that ${id}` })
      assert.match(await card.innerText(), expected)
      assert.match(await card.innerText(), /tio/)
    }
    await inspect('the logout messages')
    await page.locator('a[href*="client_id=fails"]').click()
    assert.equal(await page.locator('#client_id').inputValue(), 'fails')

    await page.goto(authorizationRequest(provider.issuer, rps[0], { redirect_uri: `${app.origin}/callback/` }).url)
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
    assert.ok(!/The one that|trailing slash/.test(await page.content()), url)
  }
  assert.deepEqual(await faultsOf(page, 'no administrator'), [])
  await page.goto(provider.issuer)
  assert.equal(await page.locator('a[href^="/admin"]').count(), 0)
})
