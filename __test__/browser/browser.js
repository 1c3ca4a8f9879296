// The browser of the journeys. It reaches nothing but this machine.
const assert = require('assert')
const path = require('path')
const { chromium, noChromium } = require('../contract/find-chromium.js')

const limitMs = 2 * 60 * 1000

module.exports = { hasBrowser, launch }

// Returns whether there is a browser. Without one, the journey is skipped, but never in CI.
function hasBrowser () {
  if (!chromium) {
    assert(!process.env.CI, `the journey was not made, ${noChromium}`)
    console.warn(`SKIPPED: the journey was not made, ${noChromium}`)
  }
  return Boolean(chromium)
}

function launch (folder) {
  return require('../contract/application/node_modules/puppeteer').launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
    defaultViewport: { width: 960, height: 560 },
    userDataDir: path.join(folder, 'profile'),
    timeout: limitMs
  })
}
