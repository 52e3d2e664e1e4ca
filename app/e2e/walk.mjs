// A browser without a browser: follows redirects, keeps cookies, and sends the login and consent forms as they stand in
// the page. For relying parties that are tested headless.

import assert from 'node:assert/strict'
import { tio } from './provider.mjs'

/** Goes from an authorization request through login and consent to the relying party's URL, which it does not open. */
export async function walk(authorizeUrl, { username, password } = tio) {
  const issuer = new URL(authorizeUrl).origin
  const cookies = new Map()
  let next = { url: new URL(authorizeUrl) }
  for (let hop = 0; hop < 12; hop++) {
    const response = await open(next, issuer, cookies)
    const location = response.headers.get('location')
    if (location) {
      assert.ok([302, 303].includes(response.status), `a redirect with status ${response.status}`)
      const url = new URL(location, next.url)
      if (url.origin !== issuer) return url
      next = { url }
      continue
    }
    const page = await response.text()
    const form = page.includes('id="login-submit"')
      ? fillIn(page, 'login-submit', { username, password })
      : fillIn(page, 'consent-allow', {})
    next = { url: new URL(form.action || next.url, next.url), body: form.body }
  }
  assert.fail('the sign-in does not end')
}

async function open({ url, body }, issuer, cookies) {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    body,
    redirect: 'manual',
    headers: {
      accept: 'text/html,application/xhtml+xml',
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body ? { origin: issuer, 'sec-fetch-site': 'same-origin' } : {}),
    },
  })
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/)
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
  return response
}

function fillIn(page, buttonId, values) {
  const form = [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].find(([, , inner]) => inner.includes(`id="${buttonId}"`))
  assert.ok(form, `the page has no form with #${buttonId}:\n${page}`)
  const [, opening, inner] = form
  const body = new URLSearchParams()
  for (const [, tag] of inner.matchAll(/<input\b([^>]*)>/g)) {
    const name = attribute(tag, 'name')
    const tick = ['checkbox', 'radio'].includes(attribute(tag, 'type'))
    if (name && (!tick || /\schecked\b/.test(tag))) body.append(name, values[name] ?? attribute(tag, 'value') ?? (tick ? 'on' : ''))
  }
  const [, button] = [...inner.matchAll(/<button\b([^>]*)>/g)].find(([, tag]) => attribute(tag, 'id') === buttonId)
  if (attribute(button, 'name')) body.append(attribute(button, 'name'), attribute(button, 'value') ?? '')
  return { action: attribute(button, 'formaction') ?? attribute(opening, 'action'), body }
}

function attribute(tag, name) {
  const found = tag.match(new RegExp(`(?:^|\\s)${name}="([^"]*)"`))
  return found?.[1].replace(/&(#\d+|#x[0-9a-f]+|amp|lt|gt|quot);/gi, (entity, code) => {
    if (code[0] !== '#') return { amp: '&', lt: '<', gt: '>', quot: '"' }[code]
    return String.fromCodePoint(code[1] === 'x' ? parseInt(code.slice(2), 16) : Number(code.slice(1)))
  })
}
