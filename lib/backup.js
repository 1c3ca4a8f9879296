// Backs up an open store: into one folder, or with `keep` into a new dated folder.
const fs = require('fs').promises
const path = require('path')
const { requireOptions, requireText } = require('./arguments.js')
const { makeDated } = require('./dated-backups.js')
const { invalid } = require('./errors.js')
const { isWithin, withSentence } = require('./folders.js')
const { GUARD, hasFiles } = require('./store-files.js')

module.exports = { backup }

// The copy itself cannot be ended. If `signal` was aborted meanwhile, what was made is removed, and the call fails with the
// reason of the signal.
async function backup (store, folder, options = {}, signal) {
  requireText(folder, 'invalid-folder')
  requireOptions(options, ['keep'])
  const { keep } = options
  if (await isWithin(folder, store.path)) {
    throw invalid('invalid-folder', `${folder} is the store in ${store.path} or lies within it, and a backup there would be lost with the store; name a folder outside of it`)
  }
  if (keep === undefined) {
    return { ...await copy(store, folder, signal), folder: path.resolve(folder), removed: [] }
  }
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw invalid('invalid-keep', `keep: ${keep} is not a whole number from 1 on`)
  }
  if (await hasFiles(folder, [GUARD])) {
    throw invalid('invalid-folder', `${folder} holds a store or a backup itself, so no dated backups are made in it; name another folder`)
  }
  return makeDated(path.resolve(folder), keep, (target) => copy(store, target, signal))
}

async function copy (store, folder, signal) {
  // An empty folder that was there before stays.
  const isOld = signal && await fs.access(folder).then(() => true, () => false)
  try {
    const report = JSON.parse(await withSentence([folder], () => store.backup(folder)))
    if (signal?.aborted) {
      await empty(folder, isOld)
      throw signal.reason
    }
    return report
  } catch (error) {
    if (error.code === 'ERR_STORE_FOREIGN' && await hasFiles(folder, [GUARD])) {
      error.detail = `${folder} holds a store already, and a backup never replaces one; choose a new or an empty folder, or make dated backups in one folder (keep, --keep)`
    }
    throw error
  }
}

async function empty (folder, isKept) {
  for (const name of isKept ? await fs.readdir(folder) : []) {
    await fs.rm(path.join(folder, name), { recursive: true, force: true })
  }
  if (!isKept) {
    await fs.rm(folder, { recursive: true, force: true })
  }
}
