// What the sources of an import have in common. Each is a file here that exports `open(source, { beside, counted })`, which
// resolves to
//   entries(): { record, contents } as Buffer, { list, items } from the oldest on, { skipped, reason }, { tooLarge, reason };
//              the parts of a long list follow each other. It can be called again, once the one before is at its end.
//   survey():  { total, tooLarge }: how many records and items there are, and what of them the store cannot take. Meanwhile
//              `counted` is told how many were met so far.
//   close():   also in the middle
// It only reads, never has everything in memory, and fails with the errors of sourceError.
const fs = require('fs')
const path = require('path')
const { invalid } = require('../arguments.js')

const itemsInPart = 1000
const bytesAtOnce = 8 * 1024 * 1024
const connectMs = 10000
// The longest name and contents that a store takes, in bytes.
const longestName = 64 * 1024
const longestContents = 64 * 1024 * 1024

module.exports = { asRecord, asText, bySize, connectMs, itemsInPart, loadClient, longestContents, longestName, oversize, parseUrl, sourceError, unreachable }

// The message says which kind of error, the detail is for people; neither holds a password.
function sourceError (slug, detail) {
  return invalid(slug, 'ERR_SOURCE', detail)
}

// The server was not reached.
function unreachable (title, error) {
  const advice = /certificate/.test(error.message) ? '; its certificate cannot be verified: name the file of its authority by NODE_EXTRA_CA_CERTS=<file>' : ''
  return sourceError('source-unreachable', `${title} cannot be reached: ${error.message || error.code}${advice}`)
}

// What is too large about an entry of the source, if anything is: `name` is the key, the list or the item.
function oversize (name, { nameBytes = Buffer.byteLength(name), contentsBytes = 0, what = 'its name' }) {
  const shown = name.length > 100 ? `${name.substring(0, 100)}…` : name
  if (nameBytes > longestName) {
    return { tooLarge: shown, reason: `${what} has ${nameBytes} bytes, over 64 KiB` }
  }
  return contentsBytes > longestContents ? { tooLarge: shown, reason: `its contents have ${contentsBytes} bytes, over 64 MiB` } : undefined
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

// Where the package lies is what Node says, which Yarn answers without any folder node_modules. Not every package lets its
// package.json be required.
function findVersion (name) {
  let folder
  try {
    folder = path.dirname(require.resolve(name))
  } catch (error) {
    return undefined
  }
  for (; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json')
    const found = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}
    if (found.name === name) {
      return found.version
    }
  }
}

// The URL and how to name it in messages: without its password, and without its options, which may hold one too. Every
// option has to be one of `understood`: what is ignored might have said which data it is.
function parseUrl (source, protocols, understood) {
  const url = tryUrl(source)
  if (!url || !protocols.includes(url.protocol) || !url.hostname) {
    throw sourceError('source-invalid', `the source is not a url like ${protocols[0]}//user:password@host/database; characters like @ / # ? % in a password are written as %40 %2F %23 %3F %25`)
  }
  const [user, password, pathname] = [url.username, url.password, url.pathname].map(decodeURIComponent)
  const shown = user && `${user}@`
  const title = `${url.protocol}//${shown}${url.host}${url.pathname}`
  const odd = [...url.searchParams.keys()].filter((name) => !understood.includes(name))
  if (odd.length) {
    throw sourceError('source-invalid', `${title}: the option ${odd.join(' and ')} is not understood here. Take it off; understood are ${understood.join(', ')}`)
  }
  return { url, user, password, database: pathname.substring(1), options: Object.fromEntries(url.searchParams), title }
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
