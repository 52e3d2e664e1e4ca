// Passkeys: the one script of these pages. Everything else works without it, and so its buttons are hidden until it runs.
// It moves bytes between a form and the browser's API and decides nothing: the server does, when the form comes.
'use strict'

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
const named = (list) => (list ?? []).map((credential) => ({ ...credential, id: decode(credential.id) }))

// What waits in the list under the name field until somebody chooses it. Browsers let one request wait at a time.
let waiting

/** Asks the server for a challenge. It is good once, for this browser, and for a few minutes. */
async function begin({ form, dataset }) {
  const { csrf, interaction } = form.elements
  const answer = await fetch(dataset.challenge, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams({ csrf: csrf.value, interaction: interaction?.value ?? '' }),
  })
  if (!answer.ok) throw new Error('no challenge')
  return answer.json()
}

/** Goes through one ceremony and returns what the form has to say of it. */
async function hold(button, options) {
  const request = await begin(button)
  const publicKey = { ...request, challenge: decode(request.challenge) }
  const fields = { challenge: request.challenge }
  let made
  if (button.dataset.passkey === 'create') {
    publicKey.user = { ...request.user, id: decode(request.user.id) }
    publicKey.excludeCredentials = named(request.excludeCredentials)
    made = await navigator.credentials.create({ publicKey, ...options })
    fields.attestation = encode(made.response.attestationObject)
    fields.transports = (made.response.getTransports?.() ?? []).join(' ')
  } else {
    publicKey.allowCredentials = named(request.allowCredentials)
    made = await navigator.credentials.get({ publicKey, ...options })
    fields.authenticator_data = encode(made.response.authenticatorData)
    fields.signature = encode(made.response.signature)
    fields.user_handle = made.response.userHandle ? encode(made.response.userHandle) : ''
  }
  return { ...fields, credential: encode(made.rawId), client_data: encode(made.response.clientDataJSON) }
}

async function send(button, options) {
  const fields = await hold(button, options)
  for (const [name, value] of Object.entries(fields)) button.form.elements[name].value = value
  button.form.submit()
}

const reasons = {
  NotAllowedError: 'cancelled', AbortError: 'cancelled', InvalidStateError: 'known', NotSupportedError: 'unsupported', ConstraintError: 'unsupported',
}

async function press(button) {
  // What the server would ask for afterwards is asked for before a passkey is made for nothing.
  if (button.form.elements.current?.reportValidity() === false) return
  const note = button.form.querySelector('[data-problem]')
  note.hidden = true
  button.disabled = true
  try {
    waiting?.abort()
    await send(button)
  } catch (fault) {
    // In the words of the page, which come along in its language.
    note.textContent = button.dataset[reasons[fault.name] ?? 'failed']
    note.hidden = false
    button.disabled = false
    button.focus()
    offer(button)
  }
}

/** Lets the list under the name field offer passkeys, in browsers that do that. What goes wrong there, nobody asked for. */
async function offer(button) {
  if (!('autofill' in button.dataset) || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
  // A challenge lives for five minutes. A page that was open for an hour has its button.
  for (let round = 0; round < 15; round++) {
    const mine = (waiting = new AbortController())
    let stale = false
    const renew = setTimeout(() => {
      stale = true
      mine.abort()
    }, 240_000)
    try {
      return await send(button, { mediation: 'conditional', signal: mine.signal })
    } catch {
      if (!stale) return
    } finally {
      clearTimeout(renew)
    }
  }
}

if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll('[data-without-passkeys]')) part.hidden = true
  for (const button of document.querySelectorAll('button[data-passkey]')) {
    button.hidden = false
    button.addEventListener('click', () => press(button))
    offer(button)
  }
}
