// Checks of a page for people who do not see it, or use no mouse: axe in the page of Dashboard's frame.
const assert = require('assert')
const fs = require('fs')

const source = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

module.exports = { assertAccessible, focusedText, tabTo }

// Fails with the rules that the page breaks, and where. Dashboard's frame around it is not ours.
async function assertAccessible (visitor) {
  const content = await visitor.content()
  await content.evaluate(source)
  const { violations, passes } = await content.evaluate(() => window.axe.run())
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`))
  assert(!found.length, `${visitor.page.url()}\n${found.join('\n\n')}`)
  const rules = passes.map(({ id }) => id)
  assert(rules.includes('color-contrast'), 'axe compared no colours')
}

// Presses Tab until the focus is on what `selector` names. Each step must show where the focus is.
async function tabTo (visitor, selector) {
  const content = await visitor.content()
  for (let steps = 0; steps < 80; steps++) {
    await visitor.page.keyboard.press('Tab')
    const focused = await content.evaluate((selector) => {
      const { activeElement: element, body } = document
      if (!element || element === body) {
        return {}
      }
      const { outlineStyle, outlineWidth } = window.getComputedStyle(element)
      return { isWanted: element.matches(selector), isVisible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2, html: element.outerHTML }
    }, selector)
    assert(focused.isVisible !== false, `the focus is not visible: ${focused.html}`)
    if (focused.isWanted) {
      return
    }
  }
  assert.fail(`Tab does not reach ${selector}`)
}

async function focusedText (visitor) {
  const content = await visitor.content()
  return content.evaluate(() => document.activeElement.innerText.trim())
}
