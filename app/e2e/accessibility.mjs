// What axe-core and a page's own structure say against it: the tests of every page share it.

import { readFile } from 'node:fs/promises'

const axe = await readFile(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe-core and the page's own structure say against it, in every theme and width. */
export async function faultsOf(page, name) {
  const faults = []
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      const where = `${name}, ${colorScheme}, ${width} px`
      for (const violation of await violations(page)) faults.push(`${where}: ${violation}`)
      const [scroll, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth])
      if (scroll > inner) faults.push(`${where}: scrolls sideways, ${scroll} px wide (1.4.10)`)
    }
  }
  for (const [selector, count] of [['h1', 1], ['main', 1]]) {
    const found = await page.locator(selector).count()
    if (found !== count) faults.push(`${name}: ${found} <${selector}>`)
  }
  return faults
}

async function violations(page) {
  await page.evaluate(axe)
  const found = await page.evaluate(async (values) => {
    const result = await window.axe.run(document, {
      runOnly: { type: 'tag', values },
      rules: { 'target-size': { enabled: true } },
      resultTypes: ['violations'],
      preload: false,
    })
    return result.violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => node.html).join(' ')}`)
  }, standards)
  return found
}
