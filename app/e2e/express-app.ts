// An Express application that follows the Express integration guide. The parts between "as printed" and "end" are the
// guide's own code, unchanged down to its non-null assertions; what the guide describes in words is completed around them.

import express from 'express'
import session from 'express-session'
import { createRemoteJWKSet, jwtVerify } from 'jose'
// as printed: 3. Authorize + PKCE
import { createHash, randomBytes } from 'node:crypto'
// end

declare module 'express-session' {
  interface SessionData {
    oidc?: { verifier: string; state: string; nonce: string }
    user?: { sub: string; name: string; email: string }
    accessToken?: string
    refreshToken?: string
    idToken?: string
  }
}

/** The session store, which the test reads to see what only the server side may know. */
export const sessions = new session.MemoryStore()
export const app = express()

app.use(session({
  name: 'app.sid',
  store: sessions,
  secret: process.env.SESSION_SECRET!,
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax' },
}))

// as printed: 3. Authorize + PKCE
app.get('/auth/login', (req, res) => {
const verifier = randomBytes(48).toString('base64url')
const state = randomBytes(32).toString('base64url')
const nonce = randomBytes(32).toString('base64url')
req.session.oidc = { verifier, state, nonce }
const authorize = new URL('/authorize', process.env.SSO_ISSUER)
authorize.search = new URLSearchParams({
client_id: process.env.SSO_CLIENT_ID!,
redirect_uri: process.env.SSO_REDIRECT_URI!,
response_type: 'code',
scope: 'openid profile email offline_access',
state,
nonce,
code_challenge: createHash('sha256').update(verifier).digest('base64url'),
code_challenge_method: 'S256',
}).toString()
res.redirect(authorize.toString())
})
// end

app.get('/auth/callback', async (req, res) => {
  // "Validate state, remove temporary flow state, and exchange the code on the server"
  const flow = req.session.oidc
  delete req.session.oidc
  if (!flow || req.query.state !== flow.state) return void res.status(400).send('The state does not match.')
  const provider = await discover()
  if (req.query.iss !== provider.issuer) return void res.status(400).send('The answer is from another issuer.')
  if (req.query.error) return void res.status(403).send(`Sign-in refused: ${escape(String(req.query.error))}`)

  // as printed: 4. Callback and Exchange
const body = new URLSearchParams({
grant_type: 'authorization_code',
client_id: process.env.SSO_CLIENT_ID!,
client_secret: process.env.SSO_CLIENT_SECRET!,
code: String(req.query.code ?? ''),
redirect_uri: process.env.SSO_REDIRECT_URI!,
code_verifier: flow.verifier,
})
  // end
  const response = await fetch(provider.token_endpoint, { method: 'POST', body })
  const tokens = await response.json()
  if (!response.ok) return void res.status(502).send(`The exchange failed: ${escape(tokens.error)}`)

  // "Validate ID token signature, issuer, audience, expiry, and nonce before storing an encrypted server session"
  const { payload } = await jwtVerify(tokens.id_token, provider.keys, {
    issuer: process.env.SSO_ISSUER!,
    audience: process.env.SSO_CLIENT_ID!,
    algorithms: ['ES256'],
    requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
  })
  if (payload.nonce !== flow.nonce) return void res.status(400).send('The nonce does not match.')

  const userinfo = await fetch(provider.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const user = await userinfo.json()
  if (!userinfo.ok || user.sub !== payload.sub) return void res.status(502).send('UserInfo is not about this user.')

  // A new session id: one that was fixed before sign-in is worth nothing after it.
  await new Promise((resolve, reject) => req.session.regenerate((fault) => (fault ? reject(fault) : resolve(null))))
  req.session.user = user
  req.session.accessToken = tokens.access_token
  req.session.refreshToken = tokens.refresh_token
  req.session.idToken = tokens.id_token
  res.redirect('/')
})

app.get('/', (req, res) => {
  const user = req.session.user
  res.send(user
    ? `<!doctype html><title>Express app</title><h1>Hello, ${escape(user.name)}</h1><p id="email">${escape(user.email)}</p>
       <form method="post" action="/refresh"><button id="refresh">Refresh</button></form>
       <form method="post" action="/auth/logout"><button id="sign-out">Sign out</button></form>`
    : '<!doctype html><title>Express app</title><h1>Express app</h1><a id="sign-in" href="/auth/login">Sign in</a>')
})

app.post('/refresh', async (req, res) => {
  if (!req.session.user) return void res.status(401).json({ error: 'not_signed_in' })
  // "Serialize refresh per session and persist the rotated token atomically"
  const answer = await inTurn(req.sessionID, async () => {
    await new Promise((resolve, reject) => req.session.reload((fault) => (fault ? reject(fault) : resolve(null))))
    const provider = await discover()
    const response = await fetch(provider.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: process.env.SSO_CLIENT_ID!,
        client_secret: process.env.SSO_CLIENT_SECRET!,
        refresh_token: req.session.refreshToken!,
      }),
    })
    const tokens = await response.json()
    if (!response.ok) return { status: 401, body: { error: tokens.error } }
    req.session.accessToken = tokens.access_token
    req.session.refreshToken = tokens.refresh_token
    await new Promise((resolve, reject) => req.session.save((fault) => (fault ? reject(fault) : resolve(null))))
    return { status: 200, body: { expires_in: tokens.expires_in } }
  })
  res.status(answer.status).json(answer.body)
})

// 6. Logout: "Revoke the refresh token using confidential authentication, destroy the Express session, and redirect through
// /connect/logout."
app.post('/auth/logout', async (req, res) => {
  const { refreshToken, idToken } = req.session
  if (refreshToken) {
    const revoked = await fetch(new URL('/oauth/revoke', process.env.SSO_ISSUER), {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${process.env.SSO_CLIENT_ID!}:${process.env.SSO_CLIENT_SECRET!}`).toString('base64')}`,
      },
      body: new URLSearchParams({ token: refreshToken, token_type_hint: 'refresh_token' }),
    })
    if (!revoked.ok) return void res.status(502).send('The refresh token could not be revoked.')
  }
  await new Promise((resolve, reject) => req.session.destroy((fault) => (fault ? reject(fault) : resolve(null))))
  const logout = new URL('/connect/logout', process.env.SSO_ISSUER)
  logout.search = new URLSearchParams({
    client_id: process.env.SSO_CLIENT_ID!,
    ...(idToken ? { id_token_hint: idToken } : {}),
    post_logout_redirect_uri: process.env.SSO_POST_LOGOUT_URI!,
  }).toString()
  res.redirect(303, logout.toString())
})

const turns = new Map<string, Promise<unknown>>()

/** Runs the work of one session after the work that the session already has under way. */
async function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(id) ?? Promise.resolve()).catch(() => {}).then(work)
  turns.set(id, turn)
  try {
    return await turn
  } finally {
    if (turns.get(id) === turn) turns.delete(id)
  }
}

type Provider = { issuer: string; token_endpoint: string; userinfo_endpoint: string; keys: ReturnType<typeof createRemoteJWKSet> }
let found: Provider | undefined

async function discover(): Promise<Provider> {
  if (found) return found
  const response = await fetch(`${process.env.SSO_ISSUER}/.well-known/openid-configuration`)
  const metadata = await response.json()
  found = { ...metadata, keys: createRemoteJWKSet(new URL(metadata.jwks_uri)) } as Provider
  return found
}

const escape = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
