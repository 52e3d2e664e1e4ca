// The pages that people see, in Chromium: accessibility in both themes, both languages and both widths, the keyboard,
// no JavaScript, two tabs, redirects that go on, and cookies.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider, startQuickstart, tio } from './provider.mjs'
import { authorizationRequest, claimsOf, html, listen, logo, token } from './relying-party.mjs'

let provider, browser, first, second, third, hopping, alpha, beta, gamma, delta

before(async () => {
  first = await listen({ '/callback': html('Alpha'), '/logo.svg': logo })
  second = await listen({ '/callback': html('Beta') })
  third = await listen({ '/landed': html('Landed') }, 'localhost')
  // A relying party that sends its people on to another site as soon as they are back.
  hopping = await listen({
    '/callback': (request, response) => response.writeHead(302, { location: `${third.origin}/landed` }).end(),
  })
  const confidential = (name, rp, more) => client({
    client_id: name.toLowerCase(), client_secret: newSecret(), client_name: name, redirect_uris: [`${rp.origin}/callback`], ...more,
  })
  alpha = confidential('Alpha', first, {
    logo_uri: `${first.origin}/logo.svg`, policy_uri: 'https://app.example.com/privacy', tos_uri: 'https://app.example.com/terms',
  })
  beta = confidential('Beta', second)
  gamma = confidential('Gamma', hopping)
  delta = confidential('Delta', second)
  provider = await startProvider({ clients: [alpha, beta, gamma, delta] })
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  for (const server of [first, second, third, hopping]) await server?.close()
  await provider?.stop()
})

const request = (rp, extra) => authorizationRequest(provider.issuer, rp, extra)

/** Opens a page in a new profile and collects what its Content-Security-Policy blocked. */
async function newPage(t, options) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && blocked.push(message.text()))
  return { context, page, blocked }
}

for (const [language, locale] of [['en', 'en-GB'], ['id', 'id-ID']]) {
  scenario(`pages in ${language} break no rule of WCAG 2.2 AA, in both themes, at 320 px and 1280 px`, async (t) => {
    const { page, blocked } = await newPage(t, { locale })
    const faults = []
    const inspect = async (name) => {
      assert.equal(await page.locator('html').getAttribute('lang'), language, `language of ${name}`)
      faults.push(...(await faultsOf(page, name)))
    }

    await page.goto(`${provider.issuer}/`)
    await inspect('home, signed out')
    await page.goto(`${provider.issuer}/login`)
    await inspect('login to the provider itself')

    await page.goto(request(alpha, { ui_locales: language, prompt: 'login consent' }).url)
    if (language === 'en') assert.match(await page.locator('h1').textContent(), /Sign in/)
    await inspect('login')

    await signIn(page, { ...tio, password: 'not this one' })
    const alert = page.locator('[role=alert]')
    assert.ok((await alert.first().textContent()).trim().length > 0, 'the failure is said in words')
    assert.equal(await page.locator('input[name=username]').inputValue(), 'tio', 'the name need not be typed again (3.3.7)')
    if (language === 'en') assert.match(await page.title(), /^Error:/)
    await inspect('login with an error')

    await signIn(page)
    await page.locator('#consent-allow').waitFor()
    await inspect('consent')
    const text = await page.locator('main').textContent()
    for (const part of ['Alpha', new URL(first.origin).host, 'tio@example.com']) assert.ok(text.includes(part), `consent names ${part}`)
    for (const uri of [alpha.policy_uri, alpha.tos_uri]) assert.equal(await page.locator(`a[href="${uri}"]`).count(), 1, uri)
    assert.ok(await page.locator(`img[src="${alpha.logo_uri}"]`).evaluate((image) => image.naturalWidth > 0), 'the logo is shown')
    await allow(page)
    await page.waitForURL(`${first.origin}/**`)

    await page.goto(request(alpha, { ui_locales: language, prompt: 'select_account' }).url)
    assert.match(await page.locator('main').textContent(), /tio/, 'the account to choose is named')
    await inspect('account selection')
    await page.locator('#account-continue').click()
    await page.waitForURL(`${first.origin}/**`)

    await page.goto(request({ ...alpha, client_id: 'nobody' }, { ui_locales: language }).url)
    assert.match(await page.locator('body').textContent(), /Request error/)
    await inspect('error')

    await page.goto(`${provider.issuer}/`)
    await inspect('home, signed in')
    await page.goto(`${provider.issuer}/account`)
    await inspect('account')
    await page.goto(`${provider.issuer}/errors`)
    await inspect('error codes')
    assert.deepEqual(faults, [])
    assert.deepEqual(blocked, [], 'no page asks for what its own policy forbids (WB-04)')
  })
}

scenario('set-up makes the first administrator once, on pages that break no rule of WCAG 2.2 AA', async (t) => {
  const fresh = await startQuickstart()
  t.after(() => fresh.stop())
  const { page } = await newPage(t)
  const send = async (password, again) => {
    await page.locator('input[name=username]').fill('ada')
    await page.locator('input[name=email]').fill('ada@example.com')
    await page.locator('input[name=password]').fill(password)
    await page.locator('input[name=password_again]').fill(again)
    await page.locator('#setup-submit').click()
  }
  const password = 'seven quiet harbours at dawn'
  fresh.keepSecret(password)

  const link = fresh.setupLink()
  await page.goto(link)
  assert.deepEqual(await faultsOf(page, 'setup'), [])
  await send(password, 'something else')
  await page.locator('[role=alert]').first().waitFor()
  assert.equal(await page.locator('input[name=email]').inputValue(), 'ada@example.com', 'the address need not be typed again (3.3.7)')
  assert.deepEqual(await faultsOf(page, 'setup with an error'), [])
  await send(password, password)
  await page.locator('input[name=password_again]').waitFor({ state: 'detached' })
  assert.deepEqual(await faultsOf(page, 'set-up done'), [])

  await page.goto(`${fresh.issuer}/login`)
  await signIn(page, { username: 'ada', password })
  await page.waitForURL(`${fresh.issuer}/`)
  assert.match(await page.locator('main').textContent(), /ada/)
  await page.goto(link)
  assert.equal(await page.locator('input[name=password_again]').count(), 0, 'the link works once')
})

scenario('signing in with the keyboard alone', async (t) => {
  const { page } = await newPage(t)
  await page.goto(request(alpha, { prompt: 'login consent' }).url)
  await tabTo(page, '[name=username]')
  await page.keyboard.type(tio.username)
  await tabTo(page, '[name=password]')
  await page.keyboard.type(tio.password)
  await tabTo(page, '#login-submit')
  await page.keyboard.press('Enter')
  await page.locator('#consent-allow').waitFor()
  await tabTo(page, '#consent-allow')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${first.origin}/**`)
})

/** Presses Tab until the element has the focus, and proves that the focus can be seen (2.4.7). */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 25; presses++) {
    // The page may put the focus where it is needed by itself.
    const reached = await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)
    if (reached) {
      const style = await page.locator(selector).evaluate((element) => {
        const { outlineStyle, boxShadow } = getComputedStyle(element)
        return { outlineStyle, boxShadow }
      })
      assert.ok(style.outlineStyle !== 'none' || style.boxShadow !== 'none', `the focus on ${selector} cannot be seen`)
      return
    }
    await page.keyboard.press('Tab')
  }
  assert.fail(`Tab does not reach ${selector}`)
}

scenario('signing in without JavaScript', async (t) => {
  const { page } = await newPage(t, { javaScriptEnabled: false })
  const sent = request(alpha, { prompt: 'login consent' })
  await page.goto(sent.url)
  await signIn(page)
  await allow(page)
  await page.waitForURL(`${first.origin}/**`)
  assert.equal(new URL(page.url()).searchParams.get('state'), sent.state)
})

scenario('a scope that is unticked is not granted', async (t) => {
  const { page } = await newPage(t)
  const sent = request(delta)
  await page.goto(sent.url)
  await signIn(page)
  await page.locator('input[name=scope][value=email]').uncheck()
  await allow(page)
  await page.waitForURL(`${second.origin}/**`)
  const { status, body } = await token(provider.issuer, delta, {
    grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'),
    redirect_uri: delta.redirect_uris[0], code_verifier: sent.verifier,
  })
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(new Set(body.scope.split(' ')), new Set(['openid', 'profile', 'offline_access']))
  const response = await fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${body.access_token}` } })
  const user = await response.json()
  assert.equal(user.name, 'Tio Pranoto')
  assert.equal(user.email, undefined)
})

scenario('the language can be changed in the middle of a sign-in', async (t) => {
  const { page } = await newPage(t)
  const sent = request(alpha, { prompt: 'login consent' })
  await page.goto(sent.url)
  await page.locator('a[hreflang=id]').click()
  await page.locator('html[lang=id]').waitFor()
  await signIn(page)
  await page.locator('#consent-allow').waitFor()
  assert.equal(await page.locator('html').getAttribute('lang'), 'id')
  await allow(page)
  await page.waitForURL(`${first.origin}/**`)
  assert.equal(new URL(page.url()).searchParams.get('state'), sent.state)
})

scenario('two tabs with two clients, interleaved, end each at its own relying party (AZ-14)', async (t) => {
  const { context, page: left } = await newPage(t)
  const right = await context.newPage()
  const sent = { left: request(alpha, { prompt: 'consent' }), right: request(beta, { prompt: 'consent' }) }
  await left.goto(sent.left.url)
  await right.goto(sent.right.url)
  await signIn(left)
  await left.locator('#consent-allow').waitFor()
  // The right tab still shows the login page of a browser that has signed in meanwhile.
  await signIn(right)
  await right.locator('#consent-allow').waitFor()
  assert.match(await left.locator('main').textContent(), /Alpha/)
  assert.match(await right.locator('main').textContent(), /Beta/)
  await left.reload()
  await allow(right)
  await right.waitForURL(`${second.origin}/**`)
  await allow(left)
  await left.waitForURL(`${first.origin}/**`)

  for (const [page, { state, nonce, verifier }, rp] of [[left, sent.left, alpha], [right, sent.right, beta]]) {
    const answer = new URL(page.url()).searchParams
    assert.equal(answer.get('state'), state)
    assert.equal(answer.get('iss'), provider.issuer)
    const { status, body } = await token(provider.issuer, rp, {
      grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: rp.redirect_uris[0], code_verifier: verifier,
    })
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(claimsOf(body.id_token).nonce, nonce)
    assert.equal(claimsOf(body.id_token).aud, rp.client_id)
  }
})

scenario('a relying party may send its people on to another origin (WB-08)', async (t) => {
  const consenting = await newPage(t)
  await consenting.page.goto(request(gamma).url)
  await signIn(consenting.page)
  await allow(consenting.page)
  await consenting.page.waitForURL(`${third.origin}/landed`)
  assert.deepEqual(consenting.blocked, [])

  // With consent remembered the login form itself leads out.
  const returning = await newPage(t)
  await returning.page.goto(request(gamma).url)
  await signIn(returning.page)
  await returning.page.waitForURL(`${third.origin}/landed`)
  assert.deepEqual(returning.blocked, [])
})

scenario('cookies are out of reach of scripts and other sites, and sign-in makes a new one (SS-01, SS-05)', async (t) => {
  const { context, page } = await newPage(t)
  await page.goto(request(beta, { prompt: 'login consent' }).url)
  const before = await context.cookies(provider.issuer)
  await signIn(page)
  await page.locator('#consent-allow').waitFor()
  const after = await context.cookies(provider.issuer)

  // One cookie is for scripts (OIDC Session Management §3.2): it changes with the session and opens nothing.
  const credentials = [...before, ...after].filter((cookie) => !cookie.name.endsWith('latchkey-state'))
  assert.ok(credentials.length >= 3)
  for (const cookie of credentials) {
    assert.equal(cookie.httpOnly, true, `${cookie.name} HttpOnly`)
    assert.ok(['Lax', 'Strict'].includes(cookie.sameSite), `${cookie.name} SameSite=${cookie.sameSite}`)
    assert.equal(cookie.path, '/', `${cookie.name} Path`)
    assert.equal(cookie.domain, '127.0.0.1', `${cookie.name} has no Domain`)
  }
  const values = new Set(before.map((cookie) => cookie.value))
  const made = after.filter((cookie) => !values.has(cookie.value))
  assert.ok(made.length > 0, 'sign-in sets a cookie that was not there before')
  assert.ok(made.some((cookie) => cookie.value.length >= 22), 'and it has at least 128 bits')
  provider.keepSecret(...made.map((cookie) => cookie.value).filter((value) => value.length >= 22))
})

scenario('signing out ends the session on the server (SS-03)', async (t) => {
  const { context, page } = await newPage(t)
  await page.goto(`${provider.issuer}/login`)
  await signIn(page)
  await page.waitForURL(`${provider.issuer}/`)
  const kept = await context.cookies(provider.issuer)
  await page.locator('#sign-out').click()
  await page.locator('#sign-out').waitFor({ state: 'detached' })

  // Whoever kept the cookies is nobody now.
  await context.clearCookies()
  await context.addCookies(kept)
  await page.goto(`${provider.issuer}/`)
  assert.equal(await page.locator('#sign-in').count(), 1)
  assert.equal(await page.locator('#sign-out').count(), 0)
})
