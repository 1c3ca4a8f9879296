// The ways back of a store that is not open. Reports are plain objects.
const native = require('./native.js')
const { invalid, requireText } = require('./arguments.js')
const { refuseSame, withSentence } = require('./folders.js')
const { secrets } = require('./host.js')

module.exports = { progress: native.progress, recover, restore }

async function restore ({ folder, path, keepSessions = false } = {}) {
  requireText(folder, 'invalid-folder')
  requireText(path, 'invalid-path')
  await refuseSame(folder, path)
  return JSON.parse(await withSentence([folder, path], () => native.restoreStore(folder, path, keepSessions === true, seconds(), ...secrets())))
}

// Nothing else is a recovery yet, and nobody should end every session without saying so.
async function recover ({ path, invalidateSessions = false, evenIfWhole = false } = {}) {
  requireText(path, 'invalid-path')
  if (invalidateSessions !== true) {
    throw invalid('invalid-recovery', 'ERR_INVALID', 'a recovery ends every session of every account: say so with invalidateSessions (--invalidate-sessions), or restore a backup instead')
  }
  return JSON.parse(await withSentence([path], () => native.recoverStore(path, evenIfWhole === true, seconds(), ...secrets())))
}

function seconds () {
  return Math.floor(Date.now() / 1000)
}
