// oidc-client-ts 3 in Chromium: a browser application on its own origin, public, with PKCE and without a nonce.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { after, before } from 'node:test'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, scenario, startProvider } from './provider.mjs'
import { listen } from './relying-party.mjs'

let provider, browser, registered, stranger

before(async () => {
  const file = async (name) => readFile(new URL(name, import.meta.url))
  const page = await file('./spa.html')
  const library = await file('./node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')
  const send = (type, body) => (request, response) => response.writeHead(200, { 'content-type': type }).end(body)
  const routes = {
    '/': send('text/html; charset=utf-8', page),
    '/callback': send('text/html; charset=utf-8', page),
    '/oidc-client-ts.min.js': send('text/javascript', library),
    '/config.json': (request, response) =>
      send('application/json', JSON.stringify({ authority: provider.issuer, client_id: 'spa' }))(request, response),
  }
  registered = await listen(routes)
  // The same application, deployed where nobody registered it.
  stranger = await listen(routes)
  provider = await startProvider({
    clients: [client({
      client_id: 'spa',
      client_name: 'Single-page app',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${registered.origin}/callback`],
      allowed_origins: [registered.origin],
      require_nonce: false,
    })],
  })
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  await registered?.close()
  await stranger?.close()
  await provider?.stop()
})

scenario('a public client signs in, loads userinfo and refreshes across origins (UI-07)', async (t) => {
  const context = await newProfile(browser)
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(registered.origin)
  await page.locator('#sign-in').click()
  await signIn(page)
  await allow(page)
  await page.waitForFunction(() => /Tio|Error/.test(document.body.innerText))
  assert.equal(await page.locator('#error').textContent(), '')
  assert.equal(await page.locator('#name').textContent(), 'Tio Pranoto')
  assert.equal(await page.locator('#email').textContent(), 'tio@example.com')

  const stored = () => page.evaluate(async () => {
    const { access_token, refresh_token, profile } = await window.manager.getUser()
    return { access_token, refresh_token, profile }
  })
  const first = await stored()
  assert.equal(first.profile.nonce, undefined)
  assert.equal(first.profile.email_verified, true)

  // The library reads the keys across origins too.
  const keys = await page.evaluate(() => window.manager.metadataService.getSigningKeys())
  assert.deepEqual(new Set(keys.map((key) => key.kty)), new Set(['EC', 'RSA']))
  assert.ok(keys.every((key) => key.d === undefined && key.p === undefined), 'no private member is published')

  let previous = first
  for (let turn = 0; turn < 2; turn++) {
    await page.evaluate(() => (document.getElementById('name').textContent = ''))
    await page.locator('#refresh').click()
    await page.waitForFunction(() => /Tio|Error/.test(document.body.innerText))
    assert.equal(await page.locator('#error').textContent(), '')
    const next = await stored()
    assert.notEqual(next.refresh_token, previous.refresh_token)
    assert.notEqual(next.access_token, previous.access_token)
    assert.equal(next.profile.sub, first.profile.sub)
    previous = next
  }
  provider.keepSecret(first.access_token, first.refresh_token, previous.access_token, previous.refresh_token)
})

scenario('scripts of an origin that nobody registered read nothing (UI-07, WB-09)', async (t) => {
  const context = await newProfile(browser)
  t.after(() => context.close())
  const outcome = (page, path, options) => page.evaluate(
    ([url, init]) => fetch(url, init).then((response) => response.status, (cause) => cause.name),
    [provider.issuer + path, options],
  )
  const tokenForm = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=refresh_token&client_id=spa&refresh_token=nothing',
  }
  const bearer = { headers: { authorization: 'Bearer nothing' } }

  const ours = await context.newPage()
  await ours.goto(registered.origin)
  assert.equal(await outcome(ours, '/token', tokenForm), 400)
  assert.equal(await outcome(ours, '/userinfo', bearer), 401)
  assert.equal(await outcome(ours, '/authorize'), 'TypeError', 'browser endpoints are closed to scripts, ours too')
  assert.equal(await outcome(ours, '/login'), 'TypeError')

  const theirs = await context.newPage()
  await theirs.goto(stranger.origin)
  assert.equal(await outcome(theirs, '/token', tokenForm), 'TypeError')
  assert.equal(await outcome(theirs, '/userinfo', bearer), 'TypeError')
})

for (const [name, origin, allowed] of [
  ['registered', () => registered.origin, true],
  ['unregistered', () => stranger.origin, false],
  ['null', () => 'null', false],
]) {
  scenario(`preflight and answer for a ${name} origin (UI-07)`, async () => {
    const value = origin()
    for (const path of ['/token', '/userinfo']) {
      const preflight = await headersOf('OPTIONS', path, {
        origin: value,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      })
      assert.equal(preflight['access-control-allow-origin'], allowed ? value : undefined, `preflight of ${path}`)
      const answer = await headersOf('POST', path, { origin: value })
      assert.equal(answer['access-control-allow-origin'], allowed ? value : undefined, `answer of ${path}`)
      assert.equal(answer['access-control-allow-credentials'], undefined, 'no cookie has any business here')
    }
  })
}

/** The answer's headers. Unlike fetch, http lets the test name any Origin. */
function headersOf(method, path, headers) {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(provider.issuer + path, { method, headers }, (response) => {
      response.resume()
      resolve(response.headers)
    })
    sent.once('error', reject)
    sent.end()
  })
}
