// Backups of an open store: one into a folder, or one more among the dated ones of a folder.
const fs = require('fs')
const path = require('path')
const native = require('./native.js')
const { invalid, requireOptions, requireText } = require('./arguments.js')
const { withSentence } = require('./folders.js')

// A backup that is being made, and one that is being removed. A folder with a date alone is whole.
const UNFINISHED = '.unfinished'
const REMOVING = '.removing'
// Group and all.
const OTHERS_WRITE = 0o022
const DATED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?$/

module.exports = { backup }

async function backup (store, folder, options = {}) {
  requireText(folder, 'invalid-folder')
  requireOptions(options, ['keep'])
  const { keep } = options
  if (keep === undefined) {
    return { ...await copy(store, folder), folder: path.resolve(folder), removed: [] }
  }
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw invalid('invalid-keep', 'ERR_INVALID', `keep: ${keep} is not a whole number from 1 on`)
  }
  return backupDated(store, path.resolve(folder), keep)
}

async function copy (store, folder) {
  try {
    return JSON.parse(await withSentence([folder], () => store.backup(folder)))
  } catch (error) {
    if (error.code === 'ERR_STORE_FOREIGN' && fs.existsSync(path.join(folder, 'guard'))) {
      error.detail = `${folder} holds a store already, and a backup never replaces one; choose a new or an empty folder, or make dated backups in one folder (keep, --keep)`
    }
    throw error
  }
}

// Nothing is removed before the new backup is whole, and its name is on the disk.
async function backupDated (store, folder, keep) {
  const name = begin(folder)
  const unfinished = path.join(folder, name + UNFINISHED)
  const made = path.join(folder, name)
  const report = await copy(store, unfinished).catch((error) => {
    fs.rmSync(unfinished, { recursive: true, force: true })
    throw error
  })
  fs.renameSync(unfinished, made)
  syncFolder(folder)
  return { ...report, folder: made, removed: await removeOld(folder, name, keep) }
}

// Makes the folder of the new backup, which is then ours, and returns its name. Several may be made within a second: the
// later one has the higher number, also where the first of them is gone already.
function begin (folder) {
  const date = new Date().toISOString().replace(/\.\d+/, '').replaceAll(':', '-')
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    refuseRootAmongOthers(folder)
    const taken = fs.readdirSync(folder).filter((name) => name.startsWith(date)).map(numberOf)
    for (let number = Math.max(0, ...taken) + 1; ; number++) {
      const name = number === 1 ? date : `${date}-${number}`
      if (makeNew(path.join(folder, name + UNFINISHED))) {
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
function refuseRootAmongOthers (folder) {
  const { uid, mode } = fs.statSync(folder)
  if (process.geteuid && process.geteuid() === 0 && (uid !== 0 || mode & OTHERS_WRITE)) {
    throw invalid('store-not-permitted', 'ERR_STORE_PERMISSION', `others than root may write to ${folder} (owner ${uid}, mode ${(mode & 0o777).toString(8)}), so root does not remove old backups there; run this as its owner (sudo -u), or use a folder of root`)
  }
}

function makeNew (folder) {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') {
      return false
    }
    throw error
  }
}

async function removeOld (folder, made, keep) {
  const found = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const older = found.filter((name) => DATED.test(name) && name !== made).sort(byAge)
  const removed = older.slice(0, Math.max(0, older.length + 1 - keep)).map((name) => path.join(folder, name))
  for (const name of removed) {
    remove(name, made)
  }
  for (const name of found) {
    const file = path.join(folder, name)
    if (name.endsWith(REMOVING) || (name.endsWith(UNFINISHED) && await wasCutShort(file))) {
      fs.rmSync(file, { recursive: true, force: true })
    }
  }
  return removed
}

function byAge (one, other) {
  const [date, otherDate] = [one, other].map((name) => name.split('Z')[0])
  return date === otherDate ? numberOf(one) - numberOf(other) : date < otherDate ? -1 : 1
}

// 1 without a number.
function numberOf (name) {
  const [, number] = /Z-(\d+)/.exec(name) || []
  return Number(number || 1)
}

// A folder that lost only a part would pass for a backup by its name.
function remove (file, made) {
  try {
    fs.renameSync(file, file + REMOVING)
    fs.rmSync(file + REMOVING, { recursive: true })
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

function syncFolder (folder) {
  // Windows syncs no folders.
  if (process.platform !== 'win32') {
    const descriptor = fs.openSync(folder, 'r')
    try {
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  }
}
