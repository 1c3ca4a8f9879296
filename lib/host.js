// The running Dashboard, found from the application: a copy of it beside us would be another one.
const crypto = require('crypto')

module.exports = { decrypt, findHost, iv, now, secret, secrets }

const host = '@userdashboard/dashboard'
const resolved = { applicationPath: undefined, timestamp: undefined }

// The host's module; requires it, so only for when it runs.
function findHost () {
  return require(require.resolve(host, { paths: [global.applicationPath] }))
}

// Integer seconds by the host's clock, which its tests shift; by the system's where no host is loaded.
function now () {
  const timestamp = require.cache[timestampPath()]
  return timestamp ? timestamp.exports.now : Math.floor(Date.now() / 1000)
}

// The host's secret at this moment, since its tests set and clear it; undefined without encryption.
function secret () {
  return global.encryptionSecret || undefined
}

function iv () {
  return global.encryptionSecretIV || undefined
}

// Both, or none of them. Without a running host they are taken from where the host takes them.
function secrets () {
  const key = secret() || process.env.ENCRYPTION_SECRET
  return key ? [key, iv() || process.env.ENCRYPTION_SECRET_IV] : []
}

// What is stored, as text: as the host's src/storage.js does it.
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

function timestampPath () {
  if (resolved.applicationPath !== global.applicationPath) {
    resolved.applicationPath = global.applicationPath
    try {
      resolved.timestamp = require.resolve(`${host}/src/timestamp.js`, { paths: [global.applicationPath] })
    } catch (error) {
      // No application, or none that has the host.
      resolved.timestamp = undefined
    }
  }
  return resolved.timestamp
}
