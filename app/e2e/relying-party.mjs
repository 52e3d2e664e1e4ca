// The smallest possible relying parties: a request with its secrets, the exchange of a code without any library, and a
// web server that a redirect can land on. The tests that are about a real library do not use these.

import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'

/** Serves a map of path to handler(request, response) on a free loopback port. hostname is the name that URLs use. */
export async function listen(routes, hostname = '127.0.0.1') {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://loopback')
    const route = routes[pathname]
    if (route) return route(request, response)
    response.writeHead(404).end('not found')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://${hostname}:${server.address().port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A handler that answers with a small page. */
export const html = (title, body = '') => (request, response) =>
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`)

/** A handler that answers with a picture: a logo for a client to show on its pages. */
export const logo = (request, response) =>
  response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
    <rect width="64" height="64" rx="14" fill="#1f4e9c"/>
    <path d="M16 44V20l16 14 16-14v24" fill="none" stroke="#fff" stroke-width="6" stroke-linejoin="round"/></svg>`)

/** One authorization request: its URL and the values that only its sender knows. extra overrides or adds parameters. */
export function authorizationRequest(issuer, client, extra = {}) {
  const verifier = randomBytes(48).toString('base64url')
  const state = randomBytes(24).toString('base64url')
  const nonce = randomBytes(24).toString('base64url')
  const url = new URL('/authorize', issuer)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: client.redirect_uris[0],
    response_type: 'code',
    scope: 'openid profile email offline_access',
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  })
  return { url: url.toString(), verifier, state, nonce }
}

/** Sends a form to the token endpoint as the given client. The answer is { status, body }. */
export async function token(issuer, client, form) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: client.client_id, client_secret: client.client_secret, ...form }),
  })
  return { status: response.status, body: await response.json() }
}

/** The claims of a JWT, unverified: for tests that look at a token whose signature another test checks. */
export const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
