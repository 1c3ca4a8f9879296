// The running Dashboard: its modules, its clock and its secret. It is found from the application, because a copy of Dashboard
// beside this package would be another one.
const fs = require('fs')
const path = require('path')
const native = require('./native.js')

module.exports = { configuredSecret, decrypt, findHost, hostFile, hostSecret, looksEncrypted, now, standInForHost }

const host = '@userdashboard/dashboard'
const resolved = { applicationPath: undefined, timestamp: undefined }
let prepared = { key: undefined, iv: undefined, secret: undefined }

// Returns the host's module, which starts it; call this only while it runs. With a name, returns that file of the host.
function findHost (name) {
  return require(name ? hostFile(name) : locate())
}

// Returns the path of a file of the host.
function hostFile (name) {
  return path.join(path.dirname(locate()), name)
}

function locate () {
  return loadedPath(require.resolve(host, { paths: [global.applicationPath] }))
}

// Returns the path under which a file of the running host is loaded. Node 20 leaves links in the path that it resolves if the last stat
// of the process was that of a pipe or a socket; the file would be loaded once more, with another clock.
function loadedPath (file) {
  return file in require.cache ? file : fs.realpathSync.native(file)
}

// Returns whole seconds of the host's clock, which its tests shift; of the system's clock if no host is loaded.
function now () {
  const timestamp = require.cache[timestampPath()]
  return timestamp ? timestamp.exports.now : Math.floor(Date.now() / 1000)
}

// Returns the host's secret at this moment, because its tests set and clear it; undefined without encryption.
function hostSecret () {
  return prepare(global.encryptionSecret, global.encryptionSecretIV)
}

// Returns the host's secret. Without a running host it is read from the environment, as the host reads it.
function configuredSecret () {
  return prepare(global.encryptionSecret || process.env.ENCRYPTION_SECRET, global.encryptionSecretIV || process.env.ENCRYPTION_SECRET_IV)
}

// Sets what the host sets, for a process without one. Returns the id of the application, as the host chooses it.
function standInForHost () {
  global.encryptionSecret = process.env.ENCRYPTION_SECRET
  global.encryptionSecretIV = process.env.ENCRYPTION_SECRET_IV
  return process.env.APPID || process.env.DOMAIN || 'dashboard'
}

// Returns the secret as the native calls take it. The same one until it changes, because the parsed session cache compares it.
function prepare (key, iv) {
  if (!key) {
    return
  }
  if (prepared.key !== key || prepared.iv !== iv) {
    prepared = { key, iv, secret: native.makeSecret(key, iv || undefined) }
  }
  return prepared.secret
}

// Returns stored contents as text, decrypted as the host's src/storage.js does it.
function decrypt (text, secret) {
  return text && secret ? native.decrypt(text, secret) : text
}

// Returns whether a text looks encrypted under some secret: pairs of hexadecimal digits, no fewer than those of the shortest JSON
// object. src/record/cipher.rs is the twin.
function looksEncrypted (text) {
  return text.length >= 4 && text.length % 2 === 0 && !/[^0-9a-f]/i.test(text)
}

function timestampPath () {
  if (resolved.applicationPath !== global.applicationPath) {
    resolved.applicationPath = global.applicationPath
    try {
      resolved.timestamp = loadedPath(require.resolve(`${host}/src/timestamp.js`, { paths: [global.applicationPath] }))
    } catch (error) {
      // There is no application, or it does not have the host.
      resolved.timestamp = undefined
    }
  }
  return resolved.timestamp
}
