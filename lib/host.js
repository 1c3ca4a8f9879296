// The running Dashboard: its modules, its clock and its secret. It is found from the application, because a copy of Dashboard
// beside this package would be another one.
const crypto = require('crypto')

module.exports = { decrypt, findHost, iv, looksEncrypted, now, secret, secrets }

const host = '@userdashboard/dashboard'
const resolved = { applicationPath: undefined, timestamp: undefined }

// Returns the host's module, which starts it; call this only while it runs.
function findHost () {
  return require(require.resolve(host, { paths: [global.applicationPath] }))
}

// Returns whole seconds of the host's clock, which its tests shift; of the system's clock if no host is loaded.
function now () {
  const timestamp = require.cache[timestampPath()]
  return timestamp ? timestamp.exports.now : Math.floor(Date.now() / 1000)
}

// Returns the host's secret at this moment, because its tests set and clear it; undefined without encryption.
function secret () {
  return global.encryptionSecret || undefined
}

// Returns the initialisation vector that belongs to the secret.
function iv () {
  return global.encryptionSecretIV || undefined
}

// Returns the secret and its vector, or nothing without encryption. Without a running host they are read from the environment,
// as the host reads them.
function secrets () {
  const key = secret() || process.env.ENCRYPTION_SECRET
  return key ? [key, iv() || process.env.ENCRYPTION_SECRET_IV] : []
}

// Returns stored contents as text, decrypted as the host's src/storage.js does it. src/record/cipher.rs is the twin.
function decrypt (text, key, iv) {
  if (!text || !key) {
    return text
  }
  try {
    return crypto.createDecipheriv('aes-256-ctr', key, Buffer.from(iv)).update(text, 'hex', 'utf-8')
  } catch (error) {
    return text
  }
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
      resolved.timestamp = require.resolve(`${host}/src/timestamp.js`, { paths: [global.applicationPath] })
    } catch (error) {
      // There is no application, or it does not have the host.
      resolved.timestamp = undefined
    }
  }
  return resolved.timestamp
}
