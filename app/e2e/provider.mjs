// A fresh Latchkey for one test file: its own folder, port, database and declared users and clients, run as the real
// binary that LATCHKEY_BIN names. What the pages and tokens look like is for the tests to say.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const running = new Set()

export const tio = {
  username: 'tio',
  password: 'correct horse battery staple',
  email: 'tio@example.com',
  email_verified: true,
  claims: { name: 'Tio Pranoto', given_name: 'Tio', family_name: 'Pranoto' },
  groups: ['staff'],
}

/** A client secret of unreserved characters, so that no encoding matters. */
export const newSecret = () => randomBytes(36).toString('base64url')

/** What every client of these tests declares unless it says otherwise: the strict profile and all the scopes used. */
export const client = (members) => ({
  client_name: members.client_id,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'openid profile email offline_access',
  ...members,
})

/**
 * Makes a database with the given users and clients and serves it, with further flags, until stop(). host is its name.
 * The answer's keepSecret(value) adds a value that stop() proves absent from the server's log.
 */
export async function startProvider({ clients, users = [tio], host = '127.0.0.1' }, flags = []) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-e2e-'))
  const port = await freePort()
  const issuer = `http://${host}:${port}`
  const db = join(folder, 'latchkey.db')
  const declared = join(folder, 'declared.json')
  await writeFile(declared, JSON.stringify({ users, clients }), { mode: 0o600 })
  await command('init', '--db', db, '--issuer', issuer)
  await command('apply', declared, '--db', db)

  const secrets = users.map((user) => user.password).concat(clients.flatMap((c) => c.client_secret ?? []))
  return serve(folder, issuer, secrets, ['serve', '--db', db, '--issuer', issuer, '--listen', `127.0.0.1:${port}`,
    // A test does in a second what a person does in an hour.
    '--rate-limit-scale', '0', ...flags])
}

/** The first run of somebody who has nothing yet. setupLink() is the one-time link that the program prints. */
export async function startQuickstart() {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-e2e-'))
  const issuer = `http://127.0.0.1:${await freePort()}`
  const db = join(folder, 'latchkey.db')
  const provider = await serve(folder, issuer, [], [
    'quickstart', '--db', db, '--issuer', issuer, '--listen', new URL(issuer).host, '--rate-limit-scale', '0',
  ])
  provider.setupLink = () => {
    const link = provider.log().match(new RegExp(`${issuer}/[^\\s"'<>]*setup[^\\s"'<>]*`))
    assert.ok(link, `quickstart printed no set-up link:\n${provider.log()}`)
    return link[0]
  }
  return provider
}

/** A test that prints what the running servers logged when it fails. */
export const scenario = (name, body) =>
  test(name, { timeout: 60_000 }, async (t) => {
    try {
      await body(t)
    } catch (cause) {
      for (const provider of running) console.error(`--- log of ${provider.issuer}\n${provider.log()}--- end of log`)
      throw cause
    }
  })

function binary() {
  assert.ok(process.env.LATCHKEY_BIN, 'LATCHKEY_BIN must name the built binary; run.sh sets it')
  return process.env.LATCHKEY_BIN
}

async function command(...args) {
  try {
    return await run(binary(), args)
  } catch (cause) {
    throw new Error(`latchkey ${args.join(' ')} failed with exit code ${cause.code}:\n${cause.stderr}${cause.stdout}`)
  }
}

async function serve(folder, issuer, secrets, args) {
  const child = spawn(binary(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stdout.on('data', (chunk) => (log += chunk))
  child.stderr.on('data', (chunk) => (log += chunk))
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
  // A test file that dies must not leave a server behind.
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)

  const provider = {
    issuer,
    log: () => log,
    keepSecret: (...values) => secrets.push(...values),
    async stop() {
      running.delete(provider)
      child.kill('SIGTERM')
      const end = await Promise.race([exited, sleep(15_000, 'still running 15 s after SIGTERM', { ref: false })])
      process.off('exit', killAtExit)
      if (child.exitCode === null) child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
      assert.equal(end, 0, `the server's exit code after SIGTERM; its log:\n${log}`)
      for (const secret of secrets) assert.ok(!log.includes(secret), `the log shows a secret: ${secret}\n${log}`)
    },
  }
  running.add(provider)
  await answering(provider, child)
  return provider
}

async function answering(provider, child) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) break
    try {
      const response = await fetch(`${provider.issuer}/.well-known/openid-configuration`)
      if (response.status === 200) return
    } catch {
      // Not listening yet.
    }
  }
  child.kill('SIGKILL')
  throw new Error(`${provider.issuer} does not answer discovery (exit code ${child.exitCode}); its log:\n${provider.log()}`)
}

/** A loopback port that was free a moment ago. The issuer names its port, so it has to be known before the server starts. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
