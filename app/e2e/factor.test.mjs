// The second step in Chromium: an authenticator app is added from the QR code on the screen, signing in asks for its code,
// and a recovery code stands in for it, with and without JavaScript. Every page on the way is looked at by axe-core.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { authenticator, scan, stepBegins } from './authenticator.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider } from './provider.mjs'
import { authorizationRequest, claimsOf, html, listen, token } from './relying-party.mjs'

const person = (username) => ({ username, password: `seven quiet harbours of ${username}`, email: `${username}@example.com` })
const people = ['tio', 'sari', 'ada'].map(person)
const [tio, sari, ada] = people
ada.admin = true

let provider, browser, rp, alpha

before(async () => {
  rp = await listen({ '/callback': html('Alpha') })
  alpha = client({ client_id: 'alpha', client_secret: newSecret(), client_name: 'Alpha', redirect_uris: [`${rp.origin}/callback`] })
  provider = await startProvider({ clients: [alpha], users: people })
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  await rp?.close()
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

/** Adds an app from the picture on the screen and returns it with the recovery codes that came along. */
async function enrol(page, inspect = async () => {}) {
  await page.locator('#enrol-totp').click()
  await page.locator('#qr').waitFor()
  await inspect('the QR code')
  const uri = await scan(page, '#qr')
  assert.equal(uri, await page.locator('#otpauth').getAttribute('href'), 'the picture, the link and the text say the same')
  const phone = authenticator(uri)
  assert.equal((await page.locator('#secret').textContent()).replaceAll(' ', ''), phone.secret)
  provider.keepSecret(phone.secret)

  await page.locator('#name').fill('Phone')
  await page.locator('#code').fill('000 00')
  await page.locator('#totp-submit').click()
  await page.locator('[role=alert]').waitFor()
  assert.equal(await page.locator('#name').inputValue(), 'Phone', 'the name need not be typed again (3.3.7)')
  await inspect('a wrong code')
  await stepBegins()
  await page.locator('#code').fill(phone.code(-1))
  await page.locator('#totp-submit').click()
  await page.locator('#codes').waitFor()
  await inspect('the recovery codes')
  const recovery = await page.locator('#codes code').allTextContents()
  assert.equal(recovery.length, 10)
  provider.keepSecret(...recovery)
  return { phone, recovery }
}

async function goOn(page) {
  await page.locator('#recovery-continue').click()
  assert.equal(await page.locator('#kept').evaluate((box) => box.validity.valueMissing), true, 'nobody goes on without having kept them')
  await page.locator('#kept').check()
  await page.locator('#recovery-continue').click()
}

scenario('a person adds an authenticator app and signs in with it, with a recovery code, and without JavaScript', async (t) => {
  const { page, blocked } = await newPage(t)
  const faults = []
  const inspect = async (name) => faults.push(...(await faultsOf(page, name)))

  await page.goto(`${provider.issuer}/account`)
  await signIn(page, tio)
  await page.locator('#add-totp').click()
  await inspect('adding a second step')
  const { phone, recovery } = await enrol(page, inspect)
  assert.match(phone.label, /:tio$/)

  await page.emulateMedia({ media: 'print' })
  for (const hidden of ['#recovery-file', '#kept', 'footer']) assert.equal(await page.locator(hidden).first().isVisible(), false, `${hidden} is not printed`)
  for (const code of await page.locator('#codes code').all()) assert.ok(await code.isVisible(), 'the codes are printed')
  await page.emulateMedia({ media: 'screen' })
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#recovery-file').click()])
  const file = await readFile(await download.path(), 'utf8')
  for (const code of recovery) assert.ok(file.includes(code), 'the file has every code')
  await goOn(page)
  await page.waitForURL(`${provider.issuer}/account?done=factor`)
  assert.match(await page.locator('[role=status]').textContent(), /second step is set up/)
  assert.match(await page.locator('main').textContent(), /10 left/)
  await inspect('the account with a second step')
  await page.locator('a[href^="/account/factors"]').first().click()
  await inspect('one second step')

  const second = await newPage(t)
  const request = authorizationRequest(provider.issuer, alpha)
  await second.page.goto(request.url)
  await signIn(second.page, tio)
  await second.page.locator('#factor-submit').waitFor()
  faults.push(...(await faultsOf(second.page, 'the second step')))
  assert.equal(await second.page.locator('#code').evaluate((field) => field === document.activeElement), true, 'the code can be typed at once')
  await second.page.locator('#code').fill('12345x')
  await second.page.keyboard.press('Enter')
  await second.page.locator('[role=alert]').waitFor()
  assert.match(await second.page.title(), /^Error:/)
  faults.push(...(await faultsOf(second.page, 'the second step with a wrong code')))
  const code = phone.code()
  await second.page.locator('#code').fill(`${code.slice(0, 3)} ${code.slice(3)}`)
  await second.page.locator('#factor-submit').click()
  await second.page.locator('#consent-allow').waitFor()
  await allow(second.page)
  await second.page.waitForURL(`${rp.origin}/**`)
  const { body } = await token(provider.issuer, alpha, {
    grant_type: 'authorization_code', code: new URL(second.page.url()).searchParams.get('code'),
    redirect_uri: alpha.redirect_uris[0], code_verifier: request.verifier,
  })
  const claims = claimsOf(body.id_token)
  assert.equal(claims.acr, 'urn:sso:loa:mfa')
  assert.deepEqual(claims.amr, ['pwd', 'otp', 'mfa'])

  const plain = await newPage(t, { javaScriptEnabled: false })
  await plain.page.goto(`${provider.issuer}/account`)
  await signIn(plain.page, tio)
  await plain.page.locator('#factor-swap').click()
  await plain.page.locator('#code').fill(recovery[0].toUpperCase())
  await plain.page.locator('#factor-submit').click()
  assert.match(await plain.page.locator('main').textContent(), /9 left/)

  const again = await newPage(t)
  await again.page.goto(`${provider.issuer}/account`)
  await signIn(again.page, tio)
  await again.page.locator('#factor-swap').click()
  faults.push(...(await faultsOf(again.page, 'a recovery code')))
  await again.page.locator('#code').fill(recovery[0])
  await again.page.locator('#factor-submit').click()
  await again.page.locator('[role=alert]').waitFor()
  faults.push(...(await faultsOf(again.page, 'a recovery code that was used')))

  assert.deepEqual(faults, [])
  assert.deepEqual([...blocked, ...second.blocked, ...again.blocked], [], 'no page asks for what its own policy forbids (WB-04)')
})

scenario('an application that asks for a second step leads through adding one, and back', async (t) => {
  const { page } = await newPage(t, { javaScriptEnabled: false })
  await page.goto(authorizationRequest(provider.issuer, alpha, { acr_values: 'urn:sso:loa:mfa' }).url)
  await signIn(page, sari)
  assert.match(await page.locator('main').textContent(), /asks for a second step/)
  await page.locator('#enrol-totp').click()
  const secret = (await page.locator('#secret').textContent()).replaceAll(' ', '')
  const phone = authenticator(await page.locator('#otpauth').getAttribute('href'))
  assert.equal(phone.secret, secret)
  await page.locator('#code').fill(phone.code())
  await page.locator('#totp-submit').click()
  await page.locator('#kept').check()
  await page.locator('#recovery-continue').click()
  await allow(page)
  await page.waitForURL(`${rp.origin}/**`)
  assert.ok(new URL(page.url()).searchParams.get('code'))
})

scenario('an administrator adds a second step on the way to administration', async (t) => {
  const { page } = await newPage(t)
  await page.goto(`${provider.issuer}/admin`)
  await signIn(page, ada)
  assert.match(await page.locator('main').textContent(), /Administration needs a second step/)
  await enrol(page)
  await goOn(page)
  await page.waitForURL((url) => url.pathname === '/admin')
  assert.deepEqual(await faultsOf(page, 'administration'), [])
})
