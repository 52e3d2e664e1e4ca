// Single logout in Chromium: two applications signed in by one session are both signed out by one logout, one told behind the
// browser's back and one by a frame in it; the frame that watches the session sees the change.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { faultsOf } from './accessibility.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider } from './provider.mjs'
import { authorizationRequest, claimsOf, html, listen, token } from './relying-party.mjs'

let provider, browser, back, front, watcher, backend, frontend, watching

/** The tokens that applications hold for their users, by sid: what a real one keeps in its session store. */
const signedIn = { back: new Map(), front: new Map() }
const told = []

before(async () => {
  back = await listen({
    '/callback': html('Back'),
    '/bye': html('Good bye'),
    '/logout': async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const keys = createRemoteJWKSet(new URL('/jwks', provider.issuer))
      const { payload, protectedHeader } = await jwtVerify(new URLSearchParams(body).get('logout_token'), keys, {
        issuer: provider.issuer, audience: 'back', typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'events', 'sid'],
      })
      told.push({ payload, protectedHeader })
      signedIn.back.delete(payload.sid)
      response.writeHead(200).end()
    },
  })
  front = await listen({
    '/callback': html('Front'),
    '/logout': (request, response) => {
      const query = new URL(request.url, front.origin).searchParams
      if (query.get('iss') === provider.issuer) signedIn.front.delete(query.get('sid'))
      html('Signed out of Front')(request, response)
    },
  })
  watcher = await listen({ '/callback': html('Watching'), '/frame': (request, response) => html('Frame',
    `<iframe src="${provider.issuer}/connect/checksession"></iframe>`)(request, response) })
  backend = client({
    client_id: 'back', client_secret: newSecret(), client_name: 'Back', redirect_uris: [`${back.origin}/callback`],
    post_logout_redirect_uris: [`${back.origin}/bye`], backchannel_logout_uri: `${back.origin}/logout`, backchannel_logout_session_required: true,
  })
  frontend = client({
    client_id: 'front', client_secret: newSecret(), client_name: 'Front', redirect_uris: [`${front.origin}/callback`],
    frontchannel_logout_uri: `${front.origin}/logout`, frontchannel_logout_session_required: true,
  })
  watching = client({ client_id: 'watching', client_secret: newSecret(), client_name: 'Watching', redirect_uris: [`${watcher.origin}/callback`] })
  provider = await startProvider({ clients: [backend, frontend, watching] }, ['--egress-allow', '127.0.0.0/8'])
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  for (const server of [back, front, watcher]) await server?.close()
  await provider?.stop()
})

/** Signs the browser in to an application; the answer has its tokens. */
async function enter(page, rp, extra) {
  const request = authorizationRequest(provider.issuer, rp, extra)
  await page.goto(request.url)
  const arrived = () => page.url().startsWith(rp.redirect_uris[0])
  if (!arrived() && (await page.locator('input[name=password]').count())) await signIn(page)
  if (!arrived()) await page.waitForSelector('#consent-allow, h1')
  if (!arrived() && (await page.locator('#consent-allow').count())) await allow(page)
  await page.waitForURL(`${rp.redirect_uris[0]}**`)
  const answer = new URL(page.url()).searchParams
  const { status, body } = await token(provider.issuer, rp, {
    grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: request.verifier,
  })
  assert.equal(status, 200, JSON.stringify(body))
  provider.keepSecret(body.access_token, body.refresh_token, body.id_token)
  return { ...body, sid: claimsOf(body.id_token).sid, sessionState: answer.get('session_state') }
}

/** Waits until something is so; what is asked for happens within a second or two. */
async function eventually(what, happened) {
  for (let turn = 0; turn < 100; turn++) {
    if (await happened()) return
    await sleep(50)
  }
  assert.fail(`${what} did not happen`)
}

/** A browser that is signed in to both applications by one session. */
async function inBoth(t, options) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && blocked.push(message.text()))
  const one = await enter(page, backend)
  const two = await enter(page, frontend)
  assert.equal(one.sid, two.sid, 'one session')
  signedIn.back.set(one.sid, one)
  signedIn.front.set(two.sid, two)
  return { page, one, two, blocked }
}

scenario('one logout signs out of two applications, by the back channel and by a frame, and leads on (LO-05, LO-07)', async (t) => {
  const { page, one, blocked } = await inBoth(t)
  const logout = new URL('/connect/logout', provider.issuer)
  logout.search = new URLSearchParams({ id_token_hint: one.id_token, post_logout_redirect_uri: `${back.origin}/bye`, state: 'x y' })
  await page.goto(logout.toString())
  assert.match(await page.locator('h1').textContent(), /You are signed out/)
  assert.equal(await page.locator('iframe').count(), 1)
  await page.waitForURL(`${back.origin}/bye?state=x+y`)
  await eventually('the frame', () => !signedIn.front.has(one.sid))
  await eventually('the back channel', () => !signedIn.back.has(one.sid))
  const { payload, protectedHeader } = told.at(-1)
  assert.equal(protectedHeader.alg, 'ES256')
  assert.ok(payload.exp - payload.iat <= 120 && payload.nonce === undefined)
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  assert.deepEqual(blocked, [], 'the policy allows the frame')
  await page.goto(authorizationRequest(provider.issuer, backend).url)
  await page.locator('input[name=password]').waitFor()
})

scenario('an application ends the session with an access token, and its page of frames does the rest', async (t) => {
  const { page, one, two } = await inBoth(t)
  const response = await fetch(`${provider.issuer}/connect/logout`, { method: 'POST', headers: { authorization: `Bearer ${two.access_token}` } })
  const body = await response.json()
  assert.equal(response.status, 200)
  assert.deepEqual(body, {
    signed_out: true, sid: one.sid, sids: [one.sid],
    notifications: [
      { client_id: 'back', channel: 'backchannel', status: 'delivered' }, { client_id: 'front', channel: 'frontchannel', status: 'pending' },
    ],
    frontchannel_logout_url: `${provider.issuer}/connect/logout/frontchannel`,
  })
  assert.ok(!signedIn.back.has(one.sid), 'told before the answer')
  await page.goto(body.frontchannel_logout_url)
  await eventually('the frame', () => !signedIn.front.has(one.sid))
  await page.goto(authorizationRequest(provider.issuer, frontend).url)
  await page.locator('input[name=password]').waitFor()
})

for (const [language, locale] of [['en', 'en-GB'], ['id', 'id-ID']]) {
  scenario(`the page of a logout in ${language} breaks no rule of WCAG 2.2 AA`, async (t) => {
    const { page } = await inBoth(t, { locale })
    await page.goto(provider.issuer)
    await page.locator('form[action$="/logout"] button').click()
    await page.locator('.outcomes').waitFor()
    assert.equal(await page.locator('html').getAttribute('lang'), language)
    assert.deepEqual(await faultsOf(page, 'signed out'), [])
  })
}

scenario('the frame that watches the session says unchanged, then changed (OIDC Session Management 1.0)', async (t) => {
  const context = await newProfile(browser)
  t.after(() => context.close())
  const page = await context.newPage()
  const { sessionState } = await enter(page, watching)
  assert.match(sessionState, /^[\w-]{43}\.[\w-]+$/)
  const ask = async (question) => {
    await page.goto(`${watcher.origin}/frame`)
    return page.evaluate((text) => new Promise((resolve) => {
      addEventListener('message', (event) => resolve(event.data), { once: true })
      const frame = document.querySelector('iframe').contentWindow
      frame.postMessage(text, '*')
    }), question)
  }
  assert.equal(await ask(`watching ${sessionState}`), 'unchanged')
  assert.equal(await ask(`front ${sessionState}`), 'changed')
  assert.equal(await ask('no question'), 'error')
  await page.goto(provider.issuer)
  await page.locator('form[action$="/logout"] button').click()
  await page.waitForURL(`${provider.issuer}/logout`)
  assert.equal(await ask(`watching ${sessionState}`), 'changed')
})
