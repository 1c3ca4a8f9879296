// An application with the real Dashboard, on packages that are installed once for all tests.
const fs = require('fs')
const path = require('path')

const packages = path.join(__dirname, 'application', 'node_modules')
const host = path.join(packages, '@userdashboard', 'dashboard')

module.exports = { host, makeApplication, packages }

function makeApplication (folder, modules, title) {
  const settings = { name: 'application', private: true, dashboard: { title, modules } }
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(settings))
  fs.writeFileSync(path.join(folder, 'main.js'), 'global.applicationPath = __dirname\n')
  fs.symlinkSync(packages, path.join(folder, 'node_modules'))
}
