// What the sources of an import have in common. Each is a file here that exports `open(source)`, which resolves to
//   entries(): { record, contents } as Buffer, { list, items } from the oldest on, { skipped, reason }; the parts of a
//              long list follow each other. It can be called again, once the one before is at its end.
//   count():   how many records and items there are, for a progress bar; about, where it would be slow to know
//   close():   also in the middle
// It only reads, never has everything in memory, and fails with the errors of sourceError.
const fs = require('fs')
const path = require('path')
const { invalid } = require('../facade/arguments.js')

const itemsInPart = 1000
const bytesAtOnce = 8 * 1024 * 1024
const connectMs = 10000

module.exports = { asRecord, asText, bySize, connectMs, itemsInPart, loadClient, parseUrl, sourceError }

// The message says which kind of error, the detail is for people; neither holds a password.
function sourceError (slug, detail) {
  return invalid(slug, 'ERR_SOURCE', detail)
}

// The client library of a server, which is installed by those alone who have such a server, from a version on (major
// and minor). Dashboard's own engine may have brought an older one.
function loadClient (name, minimum) {
  const version = findVersion(name)
  const [major, minor] = (version || '0.0').split('.').map(Number)
  if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
    const found = version ? `version ${version} of it is too old` : 'it is not installed'
    throw sourceError('source-client-missing', `this source is read with the package ${name}, and ${found}: npm install ${name}@${minimum[0]}`)
  }
  return require(name)
}

// Not every package lets its package.json be required.
function findVersion (name) {
  const file = require.resolve.paths(name).map((folder) => path.join(folder, name, 'package.json')).find((file) => fs.existsSync(file))
  return file && JSON.parse(fs.readFileSync(file, 'utf8')).version
}

// The URL and how to name it in messages: without its password, and without its options, which may hold one too.
function parseUrl (source, protocols) {
  const url = tryUrl(source)
  if (!url || !protocols.includes(url.protocol) || !url.hostname) {
    throw sourceError('source-invalid', `the source is not a url like ${protocols[0]}//user:password@host/database; characters like @ / # ? % in a password are written as %40 %2F %23 %3F %25`)
  }
  const [user, password] = [url.username, url.password].map(decodeURIComponent)
  const shown = user && `${user}@`
  return { url, user, password, title: `${url.protocol}//${shown}${url.host}${url.pathname}` }
}

// Its own errors show the password.
function tryUrl (source) {
  try {
    const url = new URL(source)
    decodeURIComponent(url.username + url.password + url.pathname)
    // A password with such characters ends up in the wrong part, and would be shown.
    return /@/.test(url.pathname + url.search + url.hash) ? undefined : url
  } catch (error) {
    return undefined
  }
}

// Keys, paths and items are text; undefined for bytes that are none, and for nothing at all.
function asText (bytes) {
  const text = bytes.toString()
  return text && Buffer.from(text).equals(bytes) ? text : undefined
}

function asRecord (record, contents) {
  return { record, contents: Buffer.isBuffer(contents) ? contents : Buffer.from(contents) }
}

// Groups of what can be in memory at once, by the `size` of each in bytes.
function * bySize (things) {
  let group = []
  let bytes = 0
  for (const thing of things) {
    if (group.length && bytes + thing.size > bytesAtOnce) {
      yield group
      group = []
      bytes = 0
    }
    group.push(thing)
    bytes += thing.size
  }
  if (group.length) {
    yield group
  }
}
