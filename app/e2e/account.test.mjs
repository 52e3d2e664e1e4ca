// The account pages on what happened: activity, and what became of the tokens of an application.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { client, newSecret, scenario, startProvider, tio } from './provider.mjs'
import { authorizationRequest, html, listen, token } from './relying-party.mjs'

let provider, browser, app, alpha

before(async () => {
  app = await listen({ '/callback': html('Alpha') })
  alpha = client({ client_id: 'alpha', client_secret: newSecret(), client_name: 'Alpha', redirect_uris: [`${app.origin}/callback`] })
  provider = await startProvider({ clients: [alpha] })
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  await app?.close()
  await provider?.stop()
})

/** Signs in to Alpha and returns its first tokens. */
async function connect(page) {
  const sent = authorizationRequest(provider.issuer, alpha)
  await page.goto(sent.url)
  if (await page.locator('#login-submit').count()) await signIn(page)
  await page.locator('#consent-allow').or(page.getByText('Alpha', { exact: true })).first().waitFor()
  if (await page.locator('#consent-allow').count()) await allow(page)
  await page.waitForURL(`${app.origin}/**`)
  const { status, body } = await token(provider.issuer, alpha, {
    grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'),
    redirect_uri: alpha.redirect_uris[0], code_verifier: sent.verifier,
  })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const refresh = (refresh_token) => token(provider.issuer, alpha, { grant_type: 'refresh_token', refresh_token })

for (const [language, locale] of [['en', 'en-GB'], ['id', 'id-ID']]) {
  scenario(`in ${language}, a stolen token is seen in the picture of its line and in the activity (SS-06)`, async (t) => {
    const context = await newProfile(browser, { locale, javaScriptEnabled: true })
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto(`${provider.issuer}/login`)
    await signIn(page, { ...tio, password: 'not this one' })
    const first = await connect(page)
    await connect(page) // another line, which stays whole
    const second = (await refresh(first.refresh_token)).body
    assert.equal((await refresh(second.refresh_token)).status, 200)
    assert.equal((await refresh(first.refresh_token)).status, 400)

    await page.goto(`${provider.issuer}/account`)
    const faults = await faultsOf(page, 'account')
    await page.locator('a[href*="/account/applications?grant="]').first().click()
    const stolen = page.locator('.lines > li').filter({ has: page.locator('.node-replay') }).first()
    assert.deepEqual(await stolen.locator('.node-number').allTextContents(), ['1', '2', '3'])
    assert.equal(await stolen.locator('.node-revoked').count(), 1)
    assert.ok((await page.locator('.lines .node-newest').count()) >= 1, 'the other line works')
    const label = await stolen.locator('svg.line').evaluate((svg) =>
      svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id).textContent).join('\n'))
    assert.match(label, language === 'en' ? /used again/ : /dipakai lagi/)
    faults.push(...(await faultsOf(page, 'application')))
    for (const part of await page.locator('summary').all()) await part.click()
    faults.push(...(await faultsOf(page, 'application, step by step')))
    assert.equal(await stolen.locator('tr.alarm').count(), 1)

    await page.goto(`${provider.issuer}/account/activity`)
    assert.equal(await page.locator('html').getAttribute('lang'), language)
    assert.ok((await page.locator('.alarm').count()) >= 2, 'the failed sign-in and the replay stand out')
    assert.ok((await page.locator('.bar-failed').count()) >= 2, 'the chart shows the failure')
    faults.push(...(await faultsOf(page, 'activity')))
    await page.locator('summary').click()
    faults.push(...(await faultsOf(page, 'activity, numbers by day')))
    assert.deepEqual(faults, [])
  })
}

scenario('the pages on activity need no JavaScript, and older events are a page away', async (t) => {
  const context = await newProfile(browser, { javaScriptEnabled: false })
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(`${provider.issuer}/login`)
  await signIn(page)
  for (let i = 0; i < 60; i++) {
    await page.goto(authorizationRequest(provider.issuer, alpha, { prompt: 'consent' }).url)
    await allow(page)
    await page.waitForURL(`${app.origin}/**`)
  }
  await page.goto(`${provider.issuer}/account/activity`)
  assert.equal(await page.locator('.trail li').count(), 50)
  await page.locator('#older').click()
  await page.locator('#newest').waitFor()
  assert.ok((await page.locator('.trail li').count()) > 0)
  assert.equal(await page.locator('.chart').count(), 0)
})
