// Runs the suite of @userdashboard/organizations, a module of the host, on our engine in a database. With a store of its own, six of its
// tests would count what the others left, because the host empties only Dashboard's store between them.
const fs = require('fs')
const os = require('os')
const path = require('path')
const { freePort } = require('./free-port.js')
const { packages } = require('./make-application.js')
const { runMocha } = require('./run.js')

// Number of tests of its API, in the version of application/package.json.
const expected = 164

module.exports = { runOrganizations }

async function runOrganizations (root, url) {
  // Its tests take its own folder for the application.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-organizations-'))
  fs.cpSync(path.join(packages, '@userdashboard', 'organizations'), folder, { recursive: true })
  fs.symlinkSync(packages, path.join(folder, 'node_modules'))
  try {
    return await runMocha(root, 'organizations', expected, folder, [path.join('src', 'www', 'api', '**', '*.test.js')], {
      SLED_DATABASE_URL: url,
      PORT: String(await freePort(1100))
    })
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}
