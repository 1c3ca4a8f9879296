// A folder of backups that have the date as their name: finds them, makes the next one, and removes the oldest.
//
// A backup has the suffix .unfinished while it is made, and .removing while it is removed. A folder with a date alone is a whole
// backup.
const fs = require('fs').promises
const path = require('path')
const native = require('./native.js')
const { failure } = require('./errors.js')
const { GUARD, hasFiles, SLED } = require('./store-files.js')

const DATED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?$/
const UNFINISHED = '.unfinished'
const REMOVING = '.removing'
// The mode by which the group or other users may write.
const OTHERS_WRITE = 0o022

module.exports = { findBackups, makeDated }

// Returns the names of the backups, oldest first. A folder that does not contain a whole store is not a backup.
async function findBackups (folder) {
  const entries = await fs.readdir(folder, { withFileTypes: true })
  const found = []
  for (const { name } of entries.filter((entry) => entry.isDirectory() && isDated(entry.name))) {
    if (await hasFiles(path.join(folder, name), [GUARD, SLED])) {
      found.push(name)
    }
  }
  return found.sort(byAge)
}

// Makes a backup with `copy`, and keeps the newest `keep` ones. No old backup is removed before the new one is whole and its name
// is on the disk.
async function makeDated (folder, keep, copy) {
  const name = await begin(folder)
  const unfinished = path.join(folder, name + UNFINISHED)
  const made = path.join(folder, name)
  const report = await copy(unfinished).catch(async (error) => {
    await fs.rm(unfinished, { recursive: true, force: true })
    throw error
  })
  await fs.rename(unfinished, made)
  await syncFolder(folder)
  return { ...report, folder: made, removed: await removeOld(folder, name, keep) }
}

// Makes the folder of the new backup, which no other process then uses, and returns its name. Of several backups within a second
// the later one has the higher number, even if the first one is already removed.
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
    throw failure(isRefused ? 'store-not-permitted' : 'store-io-failed', isRefused ? 'ERR_STORE_PERMISSION' : 'ERR_STORE_IO',
      `a folder for the backup could not be made in ${folder} (${error.code}); choose another folder, or run this as its owner`)
  }
}

// Another user who may write there could put in a link at the right moment, so that root removes something else.
async function refuseRootAmongOthers (folder) {
  const { uid, mode } = await fs.stat(folder)
  if (process.geteuid && process.geteuid() === 0 && (uid !== 0 || mode & OTHERS_WRITE)) {
    throw failure('store-not-permitted', 'ERR_STORE_PERMISSION', `users other than root may write to ${folder} (owner ${uid}, mode ${(mode & 0o777).toString(8)}), so root does not remove old backups there; run this as its owner (sudo -u), or use a folder of root`)
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

async function syncFolder (folder) {
  // Windows cannot sync a folder.
  if (process.platform !== 'win32') {
    const handle = await fs.open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  }
}

async function removeOld (folder, made, keep) {
  const older = (await findBackups(folder)).filter((name) => name !== made)
  const removed = older.slice(0, Math.max(0, older.length + 1 - keep)).map((name) => path.join(folder, name))
  for (const name of removed) {
    await remove(name, made)
  }
  await removeLeftovers(folder)
  return removed
}

// Renames the backup first, because a folder that lost only a part would look like a backup by its name.
async function remove (file, made) {
  try {
    await fs.rename(file, file + REMOVING)
    await fs.rm(file + REMOVING, { recursive: true })
  } catch (error) {
    throw failure('old-backup-not-removed', 'ERR_OLD_BACKUP', `the new backup ${made} is whole, and the old one in ${file} could not be removed (${error.code}); remove it by hand`)
  }
}

// Removes folders that an earlier run did not finish to make or to remove.
async function removeLeftovers (folder) {
  for (const name of await fs.readdir(folder)) {
    const file = path.join(folder, name)
    if (isBeingRemoved(name) || (name.endsWith(UNFINISHED) && await wasCutShort(file))) {
      await fs.rm(file, { recursive: true, force: true })
    }
  }
}

function isBeingRemoved (name) {
  return name.endsWith(REMOVING) && isDated(name.slice(0, -REMOVING.length))
}

// A backup that another process is making at this moment is locked, and was not cut short.
async function wasCutShort (folder) {
  try {
    const store = await native.openStore(folder, 1024 * 1024, 10, false)
    await store.close()
    return false
  } catch (error) {
    return error.code === 'ERR_STORE_UNFINISHED'
  }
}

function isDated (name) {
  return DATED.test(name)
}

// Returns the number behind a date, which tells several backups of one second apart; 1 without a number.
function numberOf (name) {
  const [, number] = /Z-(\d+)/.exec(name) || []
  return Number(number || 1)
}

function byAge (one, other) {
  const [date, otherDate] = [one, other].map((name) => name.split('Z')[0])
  return date === otherDate ? numberOf(one) - numberOf(other) : date < otherDate ? -1 : 1
}
