// The browser of the tests: Debian's, or another that CHROMIUM_EXECUTABLE names. None is ever downloaded.
const fs = require('fs')

const { CHROMIUM_EXECUTABLE } = process.env
const candidates = CHROMIUM_EXECUTABLE ? [CHROMIUM_EXECUTABLE] : ['/usr/bin/chromium', '/usr/bin/chromium-browser']

module.exports = {
  chromium: candidates.find((file) => fs.existsSync(file)),
  noChromium: `there is no browser at ${candidates.join(' or ')} (CHROMIUM_EXECUTABLE names another)`
}
