// openid-client 6, a certified relying party library, without a browser.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import * as oidc from 'openid-client'
import { client, newSecret, scenario, startProvider } from './provider.mjs'
import { walk } from './walk.mjs'

const redirectUri = 'http://127.0.0.1:49152/callback'
const basic = client({
  client_id: 'basic', client_secret: newSecret(), redirect_uris: [redirectUri], token_endpoint_auth_method: 'client_secret_basic',
})
const post = client({
  client_id: 'post', client_secret: newSecret(), redirect_uris: [redirectUri], token_endpoint_auth_method: 'client_secret_post',
  id_token_signed_response_alg: 'RS256',
})
let provider

before(async () => (provider = await startProvider({ clients: [basic, post] })))
after(() => provider?.stop())

/** Discovers the provider as the library does it. The ID token's signature is checked as well, although TLS would do. */
const discover = ({ client_id, client_secret, id_token_signed_response_alg }, authentication) =>
  oidc.discovery(
    new URL(provider.issuer), client_id, { id_token_signed_response_alg: id_token_signed_response_alg ?? 'ES256' },
    authentication(client_secret), { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
  )

/** Signs tio in and answers with the URL the relying party was called back on, and the checks it will apply. */
async function signedIn(configuration, extra = {}) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  }
  const url = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: 'openid profile email offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...extra,
  })
  return { callback: await walk(url.href), checks }
}

const refused = (error) => (cause) => {
  assert.ok(cause instanceof oidc.ResponseBodyError, `${cause.name}: ${cause.message}`)
  assert.equal(cause.error, error)
  assert.equal(cause.status, 400)
  return true
}

for (const [name, rp, authentication, alg] of [
  ['client_secret_basic and ES256', basic, oidc.ClientSecretBasic, 'ES256'],
  ['client_secret_post and RS256', post, oidc.ClientSecretPost, 'RS256'],
]) {
  scenario(`code flow, userinfo and refresh with ${name} (TK-01, UI-02, RF-01)`, async () => {
    const configuration = await discover(rp, authentication)
    const { callback, checks } = await signedIn(configuration)
    const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks)
    provider.keepSecret(tokens.access_token, tokens.refresh_token, tokens.id_token, callback.searchParams.get('code'))

    assert.equal(tokens.token_type.toLowerCase(), 'bearer')
    assert.ok(tokens.expiresIn() > 0)
    const header = JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url'))
    assert.equal(header.alg, alg)
    const claims = tokens.claims()
    assert.equal(claims.iss, provider.issuer)
    assert.deepEqual([claims.aud].flat(), [rp.client_id])

    const user = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
    assert.equal(user.name, 'Tio Pranoto')
    assert.equal(user.email, 'tio@example.com')
    assert.equal(user.email_verified, true)

    const renewed = await oidc.refreshTokenGrant(configuration, tokens.refresh_token)
    provider.keepSecret(renewed.access_token, renewed.refresh_token)
    assert.notEqual(renewed.refresh_token, tokens.refresh_token)
    assert.notEqual(renewed.access_token, tokens.access_token)
    await oidc.fetchUserInfo(configuration, renewed.access_token, claims.sub)
    await assert.rejects(oidc.refreshTokenGrant(configuration, tokens.refresh_token), refused('invalid_grant'))
    await assert.rejects(oidc.refreshTokenGrant(configuration, renewed.refresh_token), refused('invalid_grant'))
  })
}

scenario('without offline_access there is no refresh token (RF-10)', async () => {
  const configuration = await discover(basic, oidc.ClientSecretBasic)
  const { callback, checks } = await signedIn(configuration, { scope: 'openid email' })
  const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks)
  assert.equal(tokens.refresh_token, undefined)
  const user = await oidc.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub)
  assert.equal(user.email, 'tio@example.com')
  assert.equal(user.name, undefined, 'the profile was not asked for')
})

scenario('an answer with another state is refused by the library, and the code still works for its owner', async () => {
  const configuration = await discover(basic, oidc.ClientSecretBasic)
  const { callback, checks } = await signedIn(configuration)
  const crossed = { ...checks, expectedState: oidc.randomState() }
  await assert.rejects(oidc.authorizationCodeGrant(configuration, callback, crossed), (cause) => {
    assert.match(cause.cause.message, /state/)
    return true
  })
  const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks)
  assert.ok(tokens.access_token)
})

scenario('a wrong verifier is refused and does not burn the code (PK-03)', async () => {
  const configuration = await discover(basic, oidc.ClientSecretBasic)
  const { callback, checks } = await signedIn(configuration)
  const wrong = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }
  await assert.rejects(oidc.authorizationCodeGrant(configuration, callback, wrong), refused('invalid_grant'))
  const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks)
  assert.ok(tokens.access_token)
})

scenario('a code used twice is refused and its tokens die (TK-02)', async () => {
  const configuration = await discover(basic, oidc.ClientSecretBasic)
  const { callback, checks } = await signedIn(configuration)
  const tokens = await oidc.authorizationCodeGrant(configuration, callback, checks)
  const { sub } = tokens.claims()
  await oidc.fetchUserInfo(configuration, tokens.access_token, sub)

  await assert.rejects(oidc.authorizationCodeGrant(configuration, callback, checks), refused('invalid_grant'))
  await assert.rejects(oidc.fetchUserInfo(configuration, tokens.access_token, sub), (cause) => {
    assert.equal(cause.status, 401)
    assert.equal(cause.cause[0].parameters.error, 'invalid_token')
    return true
  })
  await assert.rejects(oidc.refreshTokenGrant(configuration, tokens.refresh_token), refused('invalid_grant'))
})

scenario('a wrong secret, and the right one sent the other way, are invalid_client (CA-01, CA-06)', async () => {
  const good = await discover(basic, oidc.ClientSecretBasic)
  const { callback, checks } = await signedIn(good)
  const wrongSecret = await discover({ ...basic, client_secret: newSecret() }, oidc.ClientSecretBasic)
  const wrongMethod = await discover(basic, oidc.ClientSecretPost)
  for (const configuration of [wrongSecret, wrongMethod]) {
    await assert.rejects(oidc.authorizationCodeGrant(configuration, callback, checks), (cause) => {
      assert.equal(cause.status, 401)
      // The library reports the challenge when there is one, and the error's code otherwise.
      assert.ok(cause.error === 'invalid_client' || cause.cause[0].scheme.toLowerCase() === 'basic', cause.message)
      return true
    })
  }
  const tokens = await oidc.authorizationCodeGrant(good, callback, checks)
  assert.ok(tokens.access_token, 'the code survived the wrong credentials')
})
