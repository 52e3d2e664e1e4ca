// An authenticator inside Chromium: a device with passkeys that a test touches, and whose keys it can copy.

/** Plugs a device into the page. Nobody touches it before the test says so; a touch counts for what is asked for after it. */
export async function plugKey(page, device = {}) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: false, ...device,
    },
  })
  return {
    touch: (enabled) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    credentials: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    replace: async (credential) => {
      await cdp.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId })
      await cdp.send('WebAuthn.addCredential', { authenticatorId, credential })
    },
  }
}

/** Keeps the list under the name field from answering by itself, as soon as the device is touched and before a button does. */
export const withoutList = (context) =>
  context.addInitScript(() => { window.PublicKeyCredential.isConditionalMediationAvailable = async () => false })

/** Presses the button of the page and touches the device until what should come of it is there. */
export async function press(page, key, outcome) {
  await key.touch(true)
  await page.locator('#passkey').click()
  await outcome.waitFor()
  await key.touch(false)
}
