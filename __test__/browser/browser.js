// The browser of the journeys. It reaches nothing but this machine.
const path = require('path')
const { chromium } = require('../contract/find-chromium.js')

const limitMs = 2 * 60 * 1000

module.exports = { launch }

function launch (folder) {
  return require('../contract/application/node_modules/puppeteer').launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
    defaultViewport: { width: 960, height: 560 },
    userDataDir: path.join(folder, 'profile'),
    timeout: limitMs
  })
}
