// What administration has to show: three applications of which one hears of a logout, one fails and one refuses, a person
// who signs in to them and out again, and a request that is refused. For the tests and for the pictures.

import assert from 'node:assert/strict'
import { authenticator } from './authenticator.mjs'
import { allow, newProfile, signIn } from './chromium.mjs'
import { client, newSecret } from './provider.mjs'
import { authorizationRequest, html, token } from './relying-party.mjs'

export const administrator = (username) =>
  ({ username, password: `seven quiet harbours of ${username}`, email: `${username}@example.com`, admin: true })

/** What the applications answer, for listen(). */
export const routes = {
  '/callback': html('Signed in'),
  '/meridian': (request, response) => response.writeHead(200).end(),
  '/orders': (request, response) => response.writeHead(503).end(),
  '/wiki': (request, response) => response.writeHead(400).end(),
}

const names = { meridian: 'Meridian Notes', orders: 'Kopi Orders', wiki: 'Old Wiki' }

/** The applications that run on an origin. */
export const applications = (origin) => Object.entries(names).map(([id, name]) => client({
  client_id: id, client_secret: newSecret(), client_name: name, redirect_uris: [`${origin}/callback`], backchannel_logout_uri: `${origin}/${id}`,
}))

/** The address of a request whose redirect URI is not registered. */
export const mistaken = (provider, rp) => authorizationRequest(provider.issuer, rp, { redirect_uri: `${rp.redirect_uris[0]}/` }).url

/** Lets it all happen and returns the reference of the refusal. */
export async function happen(browser, provider, rps) {
  const context = await newProfile(browser)
  const page = await context.newPage()
  for (const rp of rps) {
    const request = authorizationRequest(provider.issuer, rp)
    await page.goto(request.url)
    if (await page.locator('input[name=password]').count()) await signIn(page)
    await page.locator('#consent-allow').waitFor()
    await allow(page)
    await page.waitForURL(`${rp.redirect_uris[0]}?**`)
    const { status, body } = await token(provider.issuer, rp, {
      grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: request.verifier,
    })
    assert.equal(status, 200, JSON.stringify(body))
    provider.keepSecret(body.access_token, body.refresh_token)
  }
  await page.goto(provider.issuer)
  await page.locator('#sign-out').click()
  await page.locator('.outcomes').waitFor()
  const response = await page.goto(mistaken(provider, rps[0]))
  assert.equal(response.status(), 400)
  assert.ok(!(await page.locator('main').textContent()).includes('trailing slash'), 'nobody reads the explanation on the page of an error')
  await context.close()
  return response.headers()['x-request-id'].replace('req_', 'err_')
}

/** Signs an administrator in, who adds the authenticator app that administration asks for. */
export async function administer(page, provider, person) {
  await page.goto(`${provider.issuer}/admin`)
  await signIn(page, person)
  await page.locator('#enrol-totp').click()
  const phone = authenticator(await page.locator('#otpauth').getAttribute('href'))
  provider.keepSecret(phone.secret)
  await page.locator('#code').fill(phone.code())
  await page.locator('#totp-submit').click()
  await page.locator('#codes').waitFor()
  provider.keepSecret(...(await page.locator('#codes code').allTextContents()))
  await page.locator('#kept').check()
  await page.locator('#recovery-continue').click()
  await page.waitForURL((url) => url.pathname === '/admin')
}
