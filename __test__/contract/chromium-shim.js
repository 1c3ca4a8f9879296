// Loaded before the host's page tests. Chromium now writes `<` and `>` inside attribute values as
// `&lt;` and `&gt;`; the host's tests look for tags inside `srcdoc` and expect them as they were.
const { Frame } = require('./application/node_modules/puppeteer/lib/cjs/puppeteer/common/FrameManager.js')
const { Page } = require('./application/node_modules/puppeteer/lib/cjs/puppeteer/common/Page.js')

// A tag, from its name to its end, past any `>` in a value; text between tags is left alone.
const tag = /<[a-zA-Z][^\s<>"]*(?:\s+[^\s<>"=]+(?:="[^"]*")?)+\s*\/?>/g
const value = /="[^"]*"/g

for (const { prototype } of [Frame, Page]) {
  const content = prototype.content
  prototype.content = async function () {
    const html = await content.call(this)
    return html.replace(tag, (text) => text.replace(value, unescape))
  }
}

function unescape (text) {
  return text.replace(/&lt;/g, '<').replace(/&gt;/g, '>')
}

// The browser is killed when this process exits, and is left behind when a signal ends it.
process.once('SIGTERM', () => process.exit(1))
