// The interface of the sources of an import, and functions that they share. Each source is a file in this folder that exports
// `open(source, { beside, target, counted })`, which resolves to
//   entries(): a stream of { record, contents } with a Buffer, { list, items } oldest first, { skipped, reason } and
//              { tooLarge, reason }. The parts of a long list follow each other. It can be called again after the end of the stream.
//   survey():  { total, tooLarge }: the number of records and items, and the entries that are too large for a store. Meanwhile it
//              calls `counted` with the number of records and items so far.
//   close():   may also be called before the end of the stream
// A source only reads, never holds everything in memory, and fails with the errors of sourceError.
const fs = require('fs')
const path = require('path')
const { failure } = require('../errors.js')
const { LARGEST_CONTENTS, LONGEST_NAME, shorten } = require('../limits.js')

const ITEMS_IN_PART = 1000
const BYTES_AT_ONCE = 8 * 1024 * 1024
const CONNECT_MS = 10000

module.exports = { asRecord, asText, bySize, CONNECT_MS, ITEMS_IN_PART, loadClient, oversize, parseUrl, sourceError, unreachable }

// The message is the kind of the error, the detail is for people. Neither contains a password.
function sourceError (slug, detail) {
  return failure(slug, 'ERR_SOURCE', detail)
}

// The error of a server that was not reached.
function unreachable (title, error) {
  const advice = /certificate/.test(error.message) ? '; its certificate cannot be verified: name the file of its authority with NODE_EXTRA_CA_CERTS=<file>' : ''
  return sourceError('source-unreachable', `${title} cannot be reached: ${error.message || error.code}${advice}`)
}

// Returns the entry { tooLarge, reason } if an entry of the source is too large; `name` is the key or the list.
function oversize (name, { nameBytes = Buffer.byteLength(name), contentsBytes = 0, what = 'its name' }) {
  const shown = shorten(name)
  if (nameBytes > LONGEST_NAME) {
    return { tooLarge: shown, reason: `${what} has ${nameBytes} bytes, over 64 KiB` }
  }
  return contentsBytes > LARGEST_CONTENTS ? { tooLarge: shown, reason: `its contents have ${contentsBytes} bytes, over 64 MiB` } : undefined
}

// Returns the client library of a server. Only users of such a server install it; the client that Dashboard's own engine has
// installed may be older than `minimum` (major and minor version).
function loadClient (name, minimum) {
  const version = findVersion(name)
  const [major, minor] = (version || '0.0').split('.').map(Number)
  if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
    const found = version ? `version ${version} of it is too old` : 'it is not installed'
    throw sourceError('source-client-missing', `this source is read with the package ${name}, and ${found}: npm install ${name}@${minimum[0]}`)
  }
  return require(name)
}

// Node says where the package is, because Yarn may have no folder node_modules. Not every package allows to require its
// package.json.
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

// Returns the parts of a URL, and as `title` its name in messages: without the password, and without the options, which may
// contain one too. An option that is not `understood` is refused, because it may say which data is meant.
function parseUrl (source, protocols, understood) {
  const url = tryUrl(source)
  if (!url || !protocols.includes(url.protocol) || !url.hostname) {
    throw sourceError('source-invalid', `the source is not a url like ${protocols[0]}//user:password@host/database; characters like @ / # ? % in a password are written as %40 %2F %23 %3F %25`)
  }
  const [user, password, pathname] = [url.username, url.password, url.pathname].map(decodeURIComponent)
  const shown = user && `${user}@`
  const title = `${url.protocol}//${shown}${url.host}${url.pathname}`
  const unknown = [...url.searchParams.keys()].filter((name) => !understood.includes(name))
  if (unknown.length) {
    throw sourceError('source-invalid', `${title}: the option ${unknown.join(' and ')} is not understood here. Take it off; understood are ${understood.join(', ')}`)
  }
  // An IPv6 address is in brackets in a URL, and not for the clients.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { url, host, user, password, database: pathname.substring(1), options: Object.fromEntries(url.searchParams), title }
}

// The errors of URL show the password.
function tryUrl (source) {
  try {
    const url = new URL(source)
    decodeURIComponent(url.username + url.password + url.pathname)
    // With such a character, part of the password is in another part of the URL, and would be shown.
    return /@/.test(url.pathname + url.search + url.hash) ? undefined : url
  } catch (error) {
    return undefined
  }
}

// Keys, paths and items are text. Returns undefined for bytes that are not UTF-8, and for no bytes.
function asText (bytes) {
  const text = bytes.toString()
  return text && Buffer.from(text).equals(bytes) ? text : undefined
}

function asRecord (record, contents) {
  return { record, contents: Buffer.isBuffer(contents) ? contents : Buffer.from(contents) }
}

// Returns groups of things that fit into memory together; each thing has its `size` in bytes.
function * bySize (things) {
  let group = []
  let bytes = 0
  for (const thing of things) {
    if (group.length && bytes + thing.size > BYTES_AT_ONCE) {
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
