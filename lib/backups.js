// Backups of an open store: one into a folder, or one more among the dated ones of a folder.
const fs = require('fs').promises
const path = require('path')
const native = require('./native.js')
const { invalid, requireOptions, requireText } = require('./arguments.js')
const { findBackups, isDated, numberOf } = require('./dated-backups.js')
const { isWithin, withSentence } = require('./folders.js')

// A backup that is being made, and one that is being removed. A folder with a date alone is whole.
const UNFINISHED = '.unfinished'
const REMOVING = '.removing'
// Group and all.
const OTHERS_WRITE = 0o022

module.exports = { backup }

async function backup (store, folder, options = {}) {
  requireText(folder, 'invalid-folder')
  requireOptions(options, ['keep'])
  const { keep } = options
  if (await isWithin(folder, store.path)) {
    throw invalid('invalid-folder', 'ERR_INVALID', `${folder} is the store in ${store.path} or lies within it, and a backup there would be lost with the store; name a folder outside of it`)
  }
  if (keep === undefined) {
    return { ...await copy(store, folder), folder: path.resolve(folder), removed: [] }
  }
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw invalid('invalid-keep', 'ERR_INVALID', `keep: ${keep} is not a whole number from 1 on`)
  }
  if (await hasGuard(folder)) {
    throw invalid('invalid-folder', 'ERR_INVALID', `${folder} holds a store or a backup itself, so no dated backups are made in it; name another folder`)
  }
  return backupDated(store, path.resolve(folder), keep)
}

async function copy (store, folder) {
  try {
    return JSON.parse(await withSentence([folder], () => store.backup(folder)))
  } catch (error) {
    if (error.code === 'ERR_STORE_FOREIGN' && await hasGuard(folder)) {
      error.detail = `${folder} holds a store already, and a backup never replaces one; choose a new or an empty folder, or make dated backups in one folder (keep, --keep)`
    }
    throw error
  }
}

async function hasGuard (folder) {
  return fs.access(path.join(folder, 'guard')).then(() => true, () => false)
}

// Nothing is removed before the new backup is whole, and its name is on the disk.
async function backupDated (store, folder, keep) {
  const name = await begin(folder)
  const unfinished = path.join(folder, name + UNFINISHED)
  const made = path.join(folder, name)
  const report = await copy(store, unfinished).catch(async (error) => {
    await fs.rm(unfinished, { recursive: true, force: true })
    throw error
  })
  await fs.rename(unfinished, made)
  await syncFolder(folder)
  return { ...report, folder: made, removed: await removeOld(folder, name, keep) }
}

// Makes the folder of the new backup, which is then ours, and returns its name. Several may be made within a second: the
// later one has the higher number, also where the first of them is gone already.
async function begin (folder) {
  const date = new Date().toISOString().replace(/\.\d+/, '').replaceAll(':', '-')
  try {
    await fs.mkdir(folder, { recursive: true, mode: 0o700 })
    await refuseRootAmongOthers(folder)
    const taken = (await fs.readdir(folder)).filter((name) => name.startsWith(date)).map(numberOf)
    for (let number = Math.max(0, ...taken) + 1; ; number++) {
      const name = number === 1 ? date : `${date}-${number}`
      if (await makeNew(path.join(folder, name + UNFINISHED))) {
        return name
      }
    }
  } catch (error) {
    if (error.detail) {
      throw error
    }
    const isRefused = ['EACCES', 'EPERM', 'EROFS'].includes(error.code)
    throw invalid(isRefused ? 'store-not-permitted' : 'store-io-failed', isRefused ? 'ERR_STORE_PERMISSION' : 'ERR_STORE_IO',
      `a folder for the backup could not be made in ${folder} (${error.code}); choose another folder, or run this as its owner`)
  }
}

// Whoever may write there could have root remove something else, by a link put in at the right moment.
async function refuseRootAmongOthers (folder) {
  const { uid, mode } = await fs.stat(folder)
  if (process.geteuid && process.geteuid() === 0 && (uid !== 0 || mode & OTHERS_WRITE)) {
    throw invalid('store-not-permitted', 'ERR_STORE_PERMISSION', `others than root may write to ${folder} (owner ${uid}, mode ${(mode & 0o777).toString(8)}), so root does not remove old backups there; run this as its owner (sudo -u), or use a folder of root`)
  }
}

async function makeNew (folder) {
  try {
    await fs.mkdir(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') {
      return false
    }
    throw error
  }
}

async function removeOld (folder, made, keep) {
  const older = (await findBackups(folder)).filter((name) => name !== made)
  const removed = older.slice(0, Math.max(0, older.length + 1 - keep)).map((name) => path.join(folder, name))
  for (const name of removed) {
    await remove(name, made)
  }
  for (const name of await fs.readdir(folder)) {
    const file = path.join(folder, name)
    if (isBeingRemoved(name) || (name.endsWith(UNFINISHED) && await wasCutShort(file))) {
      await fs.rm(file, { recursive: true, force: true })
    }
  }
  return removed
}

function isBeingRemoved (name) {
  return name.endsWith(REMOVING) && isDated(name.slice(0, -REMOVING.length))
}

// A folder that lost only a part would pass for a backup by its name.
async function remove (file, made) {
  try {
    await fs.rename(file, file + REMOVING)
    await fs.rm(file + REMOVING, { recursive: true })
  } catch (error) {
    throw invalid('old-backup-not-removed', 'ERR_OLD_BACKUP', `the new backup ${made} is whole, and the old one in ${file} could not be removed (${error.code}); remove it by hand`)
  }
}

// Or it is being made at this moment: then it is locked.
async function wasCutShort (folder) {
  try {
    const store = await native.openStore(folder, 1024 * 1024, 10, false)
    await store.close()
    return false
  } catch (error) {
    return error.code === 'ERR_STORE_UNFINISHED'
  }
}

async function syncFolder (folder) {
  // Windows syncs no folders.
  if (process.platform !== 'win32') {
    const handle = await fs.open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  }
}
