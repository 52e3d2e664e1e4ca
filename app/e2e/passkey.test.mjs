// Passkeys, in Chromium with an authenticator of its own: made, used alone and after a password, removed, and copied.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { faultsOf } from './accessibility.mjs'
import { allow, newProfile, openChromium, signIn } from './chromium.mjs'
import { plugKey, press, withoutList } from './key.mjs'
import { client, newSecret, scenario, startProvider, tio } from './provider.mjs'
import { authorizationRequest, claimsOf, html, listen, token } from './relying-party.mjs'

const sari = { ...tio, username: 'sari', email: 'sari@example.com', claims: { name: 'Sari Dewi' } }
const people = [tio, sari, ...['ani', 'budi', 'citra', 'dian', 'eka'].map((username) => ({ ...sari, username, email: `${username}@example.com` }))]

let provider, browser, application, notes

before(async () => {
  application = await listen({ '/callback': html('Notes') })
  notes = client({ client_id: 'notes', client_secret: newSecret(), client_name: 'Notes', redirect_uris: [`${application.origin}/callback`] })
  // Browsers make passkeys for names, not for addresses.
  provider = await startProvider({ clients: [notes], users: people, host: 'localhost' })
  browser = await openChromium()
})

after(async () => {
  await browser?.close()
  await application?.close()
  await provider?.stop()
})

/** A page in a new profile with an authenticator in it, and what its Content-Security-Policy blocked. */
async function newPage(t, { options, list = false, ...device } = {}) {
  const context = await newProfile(browser, options)
  t.after(() => context.close())
  if (!list) await withoutList(context)
  const page = await context.newPage()
  const blocked = []
  page.on('console', (message) => /Content.Security.Policy|integrity/i.test(message.text()) && blocked.push(message.text()))
  const key = await plugKey(page, device)
  return { context, page, key, blocked }
}

const home = (page) => page.locator('main', { hasText: 'You are signed in as' })
const refused = (page) => page.locator('[role=alert]', { hasText: 'cannot be used here' })

async function enrol(page, key, user) {
  await page.goto(`${provider.issuer}/login?next=account`)
  await signIn(page, user)
  await page.locator('#add-passkey').click()
  await page.locator('input[name=name]').fill('Work laptop')
  await press(page, key, page.locator('code.copy').first())
}

async function signOut(page) {
  await page.goto(`${provider.issuer}/account`)
  await page.locator('#sign-out').click()
  await page.locator('#sign-out').waitFor({ state: 'detached' })
}

/** What the application learns of a sign-in that ends at its page. */
async function learned(page, { verifier }) {
  if (!page.url().startsWith(application.origin)) await allow(page)
  await page.waitForURL(`${application.origin}/**`)
  const { status, body } = await token(provider.issuer, notes, {
    grant_type: 'authorization_code', code: new URL(page.url()).searchParams.get('code'), redirect_uri: notes.redirect_uris[0], code_verifier: verifier,
  })
  assert.equal(status, 200, JSON.stringify(body))
  const { acr, amr } = claimsOf(body.id_token)
  return { acr, amr }
}

scenario('a passkey signs in alone, and an application that asks for two factors is content with it', async (t) => {
  const { page, key, blocked } = await newPage(t)
  await enrol(page, key, tio)
  const [made] = await key.credentials()
  assert.equal(made.rpId, 'localhost')
  assert.equal(made.isResidentCredential, true)
  await page.goto(`${provider.issuer}/account/passkeys`)
  assert.match(await page.locator('main').textContent(), /Work laptop/)

  await signOut(page)
  const sent = authorizationRequest(provider.issuer, notes, { acr_values: 'urn:sso:loa:mfa' })
  await page.goto(sent.url)
  await press(page, key, page.locator('#consent-allow'))
  assert.deepEqual(await learned(page, sent), { acr: 'urn:sso:loa:mfa', amr: ['hwk', 'user', 'mfa'] })
  assert.deepEqual(blocked, [], 'no page asks for what its own policy forbids (WB-04)')
})

scenario('the list under the name field offers the passkey', async (t) => {
  const { page, key } = await newPage(t, { list: true })
  await enrol(page, key, people[2])
  await signOut(page)
  assert.ok(await page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable()), 'this Chromium has such a list')
  await key.touch(true)
  await page.goto(`${provider.issuer}/login`)
  await home(page).waitFor()
  assert.match(await page.locator('main').textContent(), /ani/)
})

scenario('a security key that recognises nobody is a second factor after a password, and no more', async (t) => {
  const { page, key } = await newPage(t, { transport: 'usb', hasResidentKey: false, hasUserVerification: false, isUserVerified: false })
  await enrol(page, key, sari)
  await signOut(page)
  const sent = authorizationRequest(provider.issuer, notes)
  await page.goto(sent.url)
  await signIn(page, sari)
  await page.waitForURL(`${provider.issuer}/second-factor**`)
  assert.equal(await page.locator('input[name=code]').count(), 0, 'nobody is asked for a code that no app makes')
  await press(page, key, page.locator('#consent-allow'))
  assert.deepEqual(await learned(page, sent), { acr: 'urn:sso:loa:mfa', amr: ['pwd', 'hwk', 'user', 'mfa'] })

  await signOut(page)
  await page.goto(`${provider.issuer}/login`)
  await press(page, key, page.locator('[data-problem]:visible'))
  assert.equal(await page.locator('#sign-out').count(), 0, 'and alone it signs nobody in')
})

scenario('a copy of a passkey is found out by its counter', async (t) => {
  const { page, key } = await newPage(t)
  await enrol(page, key, people[3])
  const [before] = await key.credentials()
  await signOut(page)
  await page.goto(`${provider.issuer}/login`)
  await press(page, key, home(page))
  await signOut(page)
  await key.replace(before) // as it was when it was copied
  await page.goto(`${provider.issuer}/login`)
  await press(page, key, refused(page))
  await page.goto(`${provider.issuer}/`)
  assert.equal(await page.locator('#sign-in').count(), 1)
})

scenario('a passkey that was removed opens nothing', async (t) => {
  const { page, key } = await newPage(t)
  await enrol(page, key, people[4])
  await page.goto(`${provider.issuer}/account/passkeys`)
  await page.locator('a[href*="/account/factors"]').click()
  await press(page, key, page.locator('[role=status]'))
  assert.doesNotMatch(await page.locator('main').textContent(), /Work laptop/)
  await signOut(page)
  await page.goto(`${provider.issuer}/login`)
  await press(page, key, refused(page))
  // The password alone signs in again.
  await signIn(page, people[4])
  await page.waitForURL(`${provider.issuer}/`)
})

for (const [language, locale] of [['en', 'en-GB'], ['id', 'id-ID']]) {
  scenario(`pages with a passkey in ${language} break no rule of WCAG 2.2 AA, and say in words what the browser refuses`, async (t) => {
    const user = people[language === 'en' ? 5 : 6]
    const { page, key, blocked } = await newPage(t, { options: { locale } })
    const faults = []
    const inspect = async (name) => {
      assert.equal(await page.locator('html').getAttribute('lang'), language, `language of ${name}`)
      faults.push(...(await faultsOf(page, name)))
    }
    await page.goto(`${provider.issuer}/login?next=account`)
    await inspect('login with a passkey')
    await signIn(page, user)
    await page.locator('#add-passkey').click()
    await inspect('passkeys, none')
    await page.locator('input[name=name]').fill('Work laptop')
    await press(page, key, page.locator('code.copy').first())
    await inspect('recovery codes')
    await page.goto(`${provider.issuer}/account/passkeys`)
    await inspect('passkeys')

    // A second one in the same device: the browser refuses, and the page says why.
    const note = page.locator('[data-problem]:visible')
    await press(page, key, note)
    const known = await page.locator('#passkey').getAttribute('data-known')
    assert.equal(await note.textContent(), known)
    await inspect('passkeys, refused by the browser')

    await page.locator('a[href*="/account/factors"]').click()
    await inspect('one passkey')
    await signOut(page)
    await page.goto(`${provider.issuer}/login`)
    await signIn(page, user)
    await page.waitForURL(`${provider.issuer}/second-factor**`)
    await inspect('second factor')
    assert.deepEqual(faults, [])
    assert.deepEqual(blocked, [])
  })
}

scenario('without JavaScript there is no button that does nothing', async (t) => {
  const { page } = await newPage(t, { options: { javaScriptEnabled: false } })
  await page.goto(`${provider.issuer}/login?next=account`)
  assert.equal(await page.locator('#passkey').isVisible(), false)
  await signIn(page, { ...sari, username: 'eka' })
  await page.goto(`${provider.issuer}/account/passkeys`)
  assert.equal(await page.locator('#passkey').isVisible(), false)
})
