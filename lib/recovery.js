// Restores and recoveries, for a store that is not open. Reports are plain objects.
const native = require('./native.js')
const { requireText } = require('./arguments.js')
const { removeStale } = require('./control-socket.js')
const { invalid } = require('./errors.js')
const { refuseSame, withSentence } = require('./folders.js')
const { configuredSecret } = require('./host.js')
const { checkDurability, settings } = require('./settings.js')

module.exports = { recover, restore }

async function restore ({ folder, path, keepSessions = false } = {}) {
  requireText(folder, 'invalid-folder')
  requireText(path, 'invalid-path')
  await refuseSame(folder, path)
  await removeStale(path)
  return JSON.parse(await withSentence([folder, path], () => native.restoreStore(folder, path, keepSessions === true, seconds(), configuredSecret())))
}

// `invalidateSessions` has to be given, because nobody should end every session without saying so.
async function recover ({ path, url, durability, invalidateSessions = false, evenIfWhole = false } = {}) {
  requireText(url === undefined ? path : url, url === undefined ? 'invalid-path' : 'invalid-url')
  if (invalidateSessions !== true) {
    throw invalid('invalid-recovery', 'a recovery ends every session of every account: confirm that with invalidateSessions (--invalidate-sessions), or restore a backup instead')
  }
  if (url !== undefined) {
    const isExternal = checkDurability({ durability })
    return JSON.parse(await native.recoverDatabase(url, settings.commitSeconds.byDefault, isExternal, seconds(), configuredSecret()))
  }
  return JSON.parse(await withSentence([path], () => native.recoverStore(path, evenIfWhole === true, seconds(), configuredSecret())))
}

// By the system's clock: no host is loaded here.
function seconds () {
  return Math.floor(Date.now() / 1000)
}
