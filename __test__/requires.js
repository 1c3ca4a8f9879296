// The files of the package in JavaScript, and which of them each file requires: for the tests of layers and circles.
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
// They require packages that are found when they are needed: Dashboard, and the clients of other servers.
const findsPackages = ['lib/host.js', 'lib/import/source.js'].map(path.normalize)

module.exports = { readRequires }

// Returns a Map from each file to the files that it requires, as paths from the root.
function readRequires () {
  const files = ['index.js', ...['bin', 'lib', path.join('src', 'www')].flatMap(scriptsIn)]
  return new Map(files.map((file) => [file, requiredBy(file)]))
}

function requiredBy (file) {
  const code = fs.readFileSync(path.join(root, file), 'utf8').replace(/^\s*\/\/.*$/gm, '')
  const names = [...code.matchAll(/\brequire\((?:'([^']+)')?/g)].map(([, name]) => name)
  return names.filter((name) => name ? name.startsWith('.') : !findsPackages.includes(file))
    .map((name) => name ? path.join(path.dirname(file), name) : 'a file whose name is not written there')
}

function scriptsIn (folder) {
  return fs.readdirSync(path.join(root, folder), { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => path.join(folder, file))
}
