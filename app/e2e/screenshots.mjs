// Makes pictures of every page: light, dark, 320 px and Indonesian. The folder is the only argument; the name of each
// file is printed when it is written.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { administer, administrator, applications, happen, routes } from './administration.mjs'
import { authenticator, stepBegins } from './authenticator.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { plugKey, press, withoutList } from './key.mjs'
import { client, newSecret, startProvider, startQuickstart, tio } from './provider.mjs'
import { authorizationRequest, html, listen, logo, token } from './relying-party.mjs'

const folder = process.argv[2] ?? fileURLToPath(new URL('./screenshots', import.meta.url))
const looks = [
  { name: 'light', language: 'en', colorScheme: 'light', width: 1280 },
  { name: 'dark', language: 'en', colorScheme: 'dark', width: 1280 },
  { name: '320', language: 'en', colorScheme: 'light', width: 320 },
  { name: '320-dark', language: 'id', colorScheme: 'dark', width: 320 },
  { name: 'id', language: 'id', colorScheme: 'light', width: 1280 },
]

await mkdir(folder, { recursive: true })
const app = await listen({ '/callback': html('Meridian Notes'), '/logo.svg': logo })
// One client for each look: a consent that was given before would show in the next picture.
const rps = looks.map(({ name }) => client({
  client_id: `meridian-${name}`,
  client_secret: newSecret(),
  client_name: 'Meridian Notes',
  redirect_uris: [`${app.origin}/callback`],
  logo_uri: `${app.origin}/logo.svg`,
  policy_uri: 'https://notes.example.com/privacy',
  tos_uri: 'https://notes.example.com/terms',
  frontchannel_logout_uri: `${app.origin}/callback`,
}))
// And one person, who adds a second step in each.
const people = looks.map(({ name }) => ({ username: `sari-${name}`, password: 'seven quiet harbours of sari', email: `sari-${name}@example.com` }))
const provider = await startProvider({ clients: rps, users: [tio, ...people] })
// Browsers make passkeys for names, not for addresses.
const named = await startProvider({ clients: [], users: people, host: 'localhost' })
// Administrators need something to look at, and each adds a second step.
const governors = looks.map(({ name }) => administrator(`ada-${name}`))
const told = await listen(routes)
const governed = applications(told.origin)
const governedProvider = await startProvider({ clients: governed, users: [tio, ...governors] }, ['--egress-allow', '127.0.0.0/8'])
const fresh = await startQuickstart()
const trial = await startQuickstart()
const ada = { username: 'ada', password: 'seven quiet harbours at dawn' }
const browser = await openChromium()
try {
  await makeAdministrator()
  const refusal = await happen(browser, governedProvider, governed)
  for (const [i, look] of looks.entries()) {
    await picture(look, rps[i])
    await secondStep(look, people[i])
    await passkeys(look, people[i])
    await administration(look, governors[i], refusal)
  }
} finally {
  await browser.close()
  await app.close()
  await told.close()
  await fresh.stop()
  await trial.stop()
  await provider.stop()
  await governedProvider.stop()
  await named.stop()
}

async function picture({ name, language, colorScheme, width }, rp) {
  const context = await newProfile(browser, {
    locale: language === 'id' ? 'id-ID' : 'en-GB',
    colorScheme,
    viewport: { width, height: width < 600 ? 640 : 800 },
  })
  const page = await context.newPage()
  const keep = async (what) => {
    const file = join(folder, `${what}-${name}.png`)
    await page.screenshot({ path: file, fullPage: true })
    console.log(file)
  }
  const open = (extra, members = rp) =>
    page.goto(authorizationRequest(provider.issuer, members, { ui_locales: language, ...extra }).url)

  await open({ prompt: 'login consent' })
  await keep('login')
  await signIn(page, { ...tio, password: 'not this one' })
  await page.locator('[role=alert]').first().waitFor()
  await keep('login-error')
  await signIn(page)
  await page.locator('#consent-allow').waitFor()
  await keep('consent')
  await allow(page)
  await page.waitForURL(`${app.origin}/**`)
  await open({ prompt: 'select_account' })
  await keep('select-account')
  await open({}, { ...rp, client_id: 'nobody' })
  await keep('error')
  await page.goto(`${provider.issuer}/`)
  await keep('home')
  await page.goto(`${provider.issuer}/account`)
  await keep('account')
  await history(page, rp, keep)
  await signOut(page, rp, keep)
  await page.goto(`${provider.issuer}/errors`)
  await keep('errors')
  await page.goto(fresh.setupLink())
  await keep('setup')
  for (const [name, value] of [['username', 'ada'], ['email', 'ada@example.com'], ['password', 'one'], ['password_again', 'two']]) {
    await page.locator(`input[name=${name}]`).fill(value)
  }
  await page.locator('#setup-submit').click()
  await page.locator('[role=alert]').first().waitFor()
  await keep('setup-error')
  await demo(page, language, keep)
  await context.close()
}

/** Uses an old token of an application again, and shows what that looks like to its user. */
async function history(page, rp, keep) {
  const request = authorizationRequest(provider.issuer, rp)
  await page.goto(request.url)
  await page.waitForURL(`${app.origin}/**`)
  const grants = [{
    grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: request.verifier,
  }]
  for (let i = 0; i < 4; i++) {
    const { body } = await token(provider.issuer, rp, grants.at(-1))
    grants.push({ grant_type: 'refresh_token', refresh_token: body.refresh_token })
  }
  await token(provider.issuer, rp, grants[1])
  await page.goto(`${provider.issuer}/account`)
  await page.locator('.cards a[href*="?grant="]').last().click()
  await page.locator('summary').first().click()
  await keep('account-application')
  await page.goto(`${provider.issuer}/account/activity`)
  await page.locator('summary').click()
  await keep('account-activity')
}

/** Signs out of an application that has its tokens, which the page then says something about. */
async function signOut(page, rp, keep) {
  const request = authorizationRequest(provider.issuer, rp)
  await page.goto(request.url)
  await page.waitForURL(`${app.origin}/**`)
  await token(provider.issuer, rp, {
    grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: request.verifier,
  })
  await page.goto(`${provider.issuer}/`)
  await page.locator('form[action$="/logout"] button').click()
  await page.locator('.outcomes').waitFor()
  await keep('signed-out')
}

async function secondStep({ name, language, colorScheme, width }, person) {
  const context = await newProfile(browser, { locale: language === 'id' ? 'id-ID' : 'en-GB', colorScheme, viewport: { width, height: width < 600 ? 640 : 800 } })
  const page = await context.newPage()
  const keep = async (what) => {
    const file = join(folder, `${what}-${name}.png`)
    await page.screenshot({ path: file, fullPage: true })
    console.log(file)
  }
  await page.goto(`${provider.issuer}/account?ui_locales=${language}`)
  await signIn(page, person)
  await page.locator('#add-totp').click()
  await keep('enrol')
  await page.locator('#enrol-totp').click()
  const phone = authenticator(await page.locator('#otpauth').getAttribute('href'))
  await keep('totp')
  await stepBegins()
  await page.locator('#name').fill('Phone')
  await page.locator('#code').fill(phone.code(-1))
  await page.locator('#totp-submit').click()
  await keep('recovery-codes')
  await page.locator('#kept').check()
  await page.locator('#recovery-continue').click()
  await keep('account-second-step')
  await page.locator('a[href^="/account/factors"]').first().click()
  await keep('own-factor')
  await page.goto(`${provider.issuer}/account`)
  await page.locator('#sign-out').click()
  await page.goto(`${provider.issuer}/account`)
  await signIn(page, person)
  await keep('second-factor')
  for (let wrong = 0; wrong < 2; wrong++) {
    await page.locator('#code').fill('12345x')
    await page.locator('#factor-submit').click()
  }
  await keep('second-factor-error')
  await page.locator('#factor-swap').click()
  await keep('second-factor-recovery')
  await context.close()
}

async function passkeys({ name, language, colorScheme, width }, person) {
  const context = await newProfile(browser, { locale: language === 'id' ? 'id-ID' : 'en-GB', colorScheme, viewport: { width, height: width < 600 ? 640 : 800 } })
  await withoutList(context)
  const page = await context.newPage()
  const key = await plugKey(page)
  const keep = async (what) => {
    const file = join(folder, `${what}-${name}.png`)
    await page.screenshot({ path: file, fullPage: true })
    console.log(file)
  }
  await page.goto(`${named.issuer}/login?next=account&ui_locales=${language}`)
  await keep('login-passkey')
  await signIn(page, person)
  await page.locator('#add-passkey').click()
  await page.locator('#name').fill('Laptop')
  await press(page, key, page.locator('code.copy').first())
  await page.goto(`${named.issuer}/account/passkeys`)
  await press(page, key, page.locator('[data-problem]:visible'))
  await keep('passkeys')
  await page.locator('a[href^="/account/factors"]').first().click()
  await keep('own-passkey')
  await page.goto(`${named.issuer}/account`)
  await page.locator('#sign-out').click()
  await page.goto(`${named.issuer}/login`)
  await signIn(page, person)
  await keep('second-factor-passkey')
  await context.close()
}

/** What an administrator sees of what happened. */
async function administration({ name, language, colorScheme, width }, person, refusal) {
  const context = await newProfile(browser, { locale: language === 'id' ? 'id-ID' : 'en-GB', colorScheme, viewport: { width, height: width < 600 ? 640 : 800 } })
  const page = await context.newPage()
  const keep = async (what) => {
    const file = join(folder, `${what}-${name}.png`)
    await page.screenshot({ path: file, fullPage: true })
    console.log(file)
  }
  await administer(page, governedProvider, person)
  await keep('admin')
  await page.goto(`${governedProvider.issuer}/admin/explain?ref=${refusal}`)
  await keep('admin-explain')
  await page.goto(`${governedProvider.issuer}/admin/logout`)
  await keep('admin-logout')
  await context.close()
}

/** Uses the set-up link of the server whose demo application is shown. */
async function makeAdministrator() {
  const context = await newProfile(browser)
  const page = await context.newPage()
  await page.goto(trial.setupLink())
  for (const [name, value] of [['username', ada.username], ['email', 'ada@example.com'], ['password', ada.password], ['password_again', ada.password]]) {
    await page.locator(`input[name=${name}]`).fill(value)
  }
  await page.locator('#setup-submit').click()
  await page.locator('input[name=password_again]').waitFor({ state: 'detached' })
  await context.close()
}

async function demo(page, language, keep) {
  await page.goto(`${trial.issuer}/?ui_locales=${language}`)
  await keep('home-demo')
  await page.goto(`${trial.issuer}/demo?ui_locales=${language}`)
  await keep('demo')
  await page.locator('#demo-sign-in').click()
  await signIn(page, ada)
  await page.locator('#consent-allow, #demo-sign-out').first().waitFor()
  if (await page.locator('#consent-allow').count()) await allow(page)
  await page.waitForURL(`${trial.issuer}/demo/flow`)
  await keep('demo-flow')
  await page.locator('#demo-refresh').click()
  await page.locator('#demo-replay').click()
  await page.locator('#demo-replay').waitFor({ state: 'detached' })
  await keep('demo-replay')
  await page.locator('#demo-sign-out').click()
  await page.waitForURL(`${trial.issuer}/demo/signed-out?**`)
  await keep('demo-signed-out')
  await page.goto(`${trial.issuer}/demo/callback?code=x`)
  await keep('demo-notice')
}
