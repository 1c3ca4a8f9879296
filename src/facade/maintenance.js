// Looking after a store that no dashboard has open. Reports are plain objects.
const native = require('./native.js')
const { invalid, requireText } = require('./arguments.js')

module.exports = { backup, progress: native.progress, recover, restore, verify }

async function verify ({ path } = {}) {
  requireText(path, 'invalid-path')
  return JSON.parse(await native.verifyStore(path))
}

async function backup ({ path, folder } = {}) {
  requireText(path, 'invalid-path')
  requireText(folder, 'invalid-folder')
  const store = await native.openStore(path, 16 * 1024 * 1024, 60)
  try {
    return JSON.parse(await store.backup(folder))
  } finally {
    await store.close()
  }
}

async function restore ({ folder, path, keepSessions = false } = {}) {
  requireText(folder, 'invalid-folder')
  requireText(path, 'invalid-path')
  return JSON.parse(await native.restoreStore(folder, path, keepSessions === true, seconds(), ...secrets()))
}

// Nothing else is a recovery yet, and nobody should end every session without saying so.
async function recover ({ path, invalidateSessions = false } = {}) {
  requireText(path, 'invalid-path')
  if (invalidateSessions !== true) {
    throw invalid('invalid-recovery', 'ERR_INVALID', 'a recovery ends every session of every account: say so with invalidateSessions (--invalidate-sessions), or restore a backup instead')
  }
  return JSON.parse(await native.recoverStore(path, seconds(), ...secrets()))
}

// Without a running host its settings are taken from where the host takes them.
function secrets () {
  const secret = global.encryptionSecret || process.env.ENCRYPTION_SECRET
  return secret ? [secret, global.encryptionSecretIV || process.env.ENCRYPTION_SECRET_IV] : []
}

function seconds () {
  return Math.floor(Date.now() / 1000)
}
