// The Express integration guide, with real express, express-session, jose and Chromium.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before } from 'node:test'
import { tsImport } from 'tsx/esm/api'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider } from './provider.mjs'
import { token } from './relying-party.mjs'

let provider, browser, server, origin, sessions
const confidential = { client_id: 'express-app', client_secret: newSecret() }

before(async () => {
  process.env.SESSION_SECRET = randomBytes(32).toString('base64url')
  const guide = await tsImport('./express-app.ts', import.meta.url)
  sessions = guide.sessions
  server = guide.app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  origin = `http://127.0.0.1:${server.address().port}`

  provider = await startProvider({
    clients: [client({
      ...confidential,
      client_name: 'Express app',
      redirect_uris: [`${origin}/auth/callback`],
      post_logout_redirect_uris: [`${origin}/`],
    })],
  })
  process.env.SSO_ISSUER = provider.issuer
  process.env.SSO_CLIENT_ID = confidential.client_id
  process.env.SSO_CLIENT_SECRET = confidential.client_secret
  process.env.SSO_REDIRECT_URI = `${origin}/auth/callback`
  process.env.SSO_POST_LOGOUT_URI = `${origin}/`
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
  await provider?.stop()
})

/** Signs tio in to the application in a new browser profile. */
async function signedIn() {
  const context = await newProfile(browser)
  const page = await context.newPage()
  await page.goto(origin)
  await page.locator('#sign-in').click()
  await signIn(page)
  await allow(page)
  await page.waitForURL(`${origin}/`)
  return { context, page }
}

/** What the application keeps for the only session that is signed in. */
function kept() {
  const all = Object.values(sessions.sessions).map((text) => JSON.parse(text)).filter((session) => session.user)
  assert.equal(all.length, 1, 'exactly one session is signed in')
  provider.keepSecret(all[0].accessToken, all[0].refreshToken)
  return all[0]
}

scenario('a person signs in through login and consent and lands in the application', async (t) => {
  const { context, page } = await signedIn()
  t.after(() => context.close())
  t.after(() => sessions.clear())
  assert.equal(await page.locator('h1').textContent(), 'Hello, Tio Pranoto')
  assert.equal(await page.locator('#email').textContent(), 'tio@example.com')
  const session = kept()
  assert.equal(session.user.email_verified, true)
  assert.equal(session.user.given_name, 'Tio')

  // Consent is remembered and the session lives: the second time nobody is asked anything (CN-02).
  await page.goto(`${origin}/auth/login`)
  await page.waitForURL(`${origin}/`)
  assert.equal(await page.locator('h1').textContent(), 'Hello, Tio Pranoto')
})

scenario('a person who says no comes back with access_denied (CN-01)', async (t) => {
  const context = await newProfile(browser)
  t.after(() => context.close())
  const page = await context.newPage()
  // prompt=consent asks again whatever is remembered; the guide's request is otherwise as it was.
  await page.goto(await askAgain(context))
  await signIn(page)
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().startsWith(`${origin}/auth/callback`)),
    page.locator('#consent-deny').click(),
  ])
  assert.equal(answer.status(), 403)
  assert.match(await page.locator('body').textContent(), /access_denied/)
})

/** The application's own authorization URL, with prompt=consent added. */
async function askAgain(context) {
  const response = await context.request.get(`${origin}/auth/login`, { maxRedirects: 0 })
  const url = new URL(response.headers().location)
  url.searchParams.set('prompt', 'consent')
  return url.toString()
}

scenario('refresh rotates, takes turns, and a reused token ends the line (RF-01, RF-02, RF-03)', async (t) => {
  sessions.clear()
  const context = await newProfile(browser)
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(`${origin}/auth/login`)
  await signIn(page)
  await page.waitForURL(`${origin}/`)
  const refresh = async () => {
    const response = await context.request.post(`${origin}/refresh`)
    return { status: response.status(), body: await response.json() }
  }

  const seen = [kept().refreshToken]
  for (let turn = 0; turn < 2; turn++) {
    const answer = await refresh()
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    seen.push(kept().refreshToken)
  }
  const together = await Promise.all([refresh(), refresh()])
  assert.deepEqual(together.map((answer) => answer.status), [200, 200], 'two refreshes at once, taken in turn')
  seen.push(kept().refreshToken)
  assert.equal(new Set(seen).size, seen.length, 'every refresh gave a new token')

  const { accessToken } = kept()
  const userinfo = () => fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal((await userinfo()).status, 200)

  const replay = await token(provider.issuer, confidential, { grant_type: 'refresh_token', refresh_token: seen[0] })
  assert.equal(replay.status, 400)
  assert.equal(replay.body.error, 'invalid_grant')
  const newest = await refresh()
  assert.equal(newest.status, 401)
  assert.equal(newest.body.error, 'invalid_grant')
  assert.equal((await userinfo()).status, 401, 'the access tokens of the line are dead too')
})

scenario('signing out as the guide says: revoke, destroy, redirect through /connect/logout (guide, section 6)', async (t) => {
  sessions.clear()
  const context = await newProfile(browser)
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(`${origin}/auth/login`)
  await signIn(page)
  await page.waitForURL(`${origin}/`)
  const { accessToken, refreshToken, idToken } = kept()
  provider.keepSecret(idToken)

  await page.locator('#sign-out').click()
  await page.waitForURL(`${origin}/`)
  assert.equal(await page.locator('#sign-in').count(), 1, 'the application has forgotten its user')
  assert.equal(Object.values(sessions.sessions).filter((text) => JSON.parse(text).user).length, 0, 'the Express session is destroyed')

  const refresh = await token(provider.issuer, confidential, { grant_type: 'refresh_token', refresh_token: refreshToken })
  assert.equal(refresh.status, 400)
  assert.equal(refresh.body.error, 'invalid_grant')
  const userinfo = await fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal(userinfo.status, 401, 'the access token died with its line')

  await page.goto(`${origin}/auth/login`)
  await page.locator('input[name=password]').waitFor() // the provider asks again: its session has ended too
})
