// Why something cannot be a folder, for people: the system's own words do not say which part of a path it is.
const fs = require('fs')
const path = require('path')
const { invalid } = require('./arguments.js')
const { findBackups } = require('./dated-backups.js')

module.exports = { explainFolder, isWithin, refuseSame, withSentence }

// Undefined if it is a folder, or could be made.
function explainFolder (folder) {
  const resolved = path.resolve(folder)
  const parent = path.dirname(resolved)
  return (parent === resolved ? undefined : explainFolder(parent)) || explainOne(resolved)
}

function explainOne (folder) {
  try {
    const found = fs.lstatSync(folder, { throwIfNoEntry: false })
    const target = fs.statSync(folder, { throwIfNoEntry: false })
    if (found && !target) {
      return `${folder} is a symbolic link to ${fs.readlinkSync(folder)}, which does not exist`
    }
    return target && !target.isDirectory() ? `${folder} is not a folder` : undefined
  } catch (error) {
    // What may not be looked at is told by the call that uses it.
    return undefined
  }
}

// Puts such a sentence into the error of `work` if one of the folders is what failed. The first is the one that is to hold a store.
async function withSentence (folders, work) {
  try {
    return await work()
  } catch (error) {
    const reason = error.code === 'ERR_STORE_IO' && folders.map(explainFolder).find(Boolean)
    if (reason) {
      error.detail = `${reason}; name a folder`
    }
    if (error.code === 'ERR_STORE_MISSING') {
      error.detail = await explainBackups(folders[0]) || error.detail
    }
    throw error
  }
}

// Undefined if there are none.
async function explainBackups (folder) {
  const names = await findBackups(folder).catch(() => [])
  if (names.length) {
    const newest = path.join(folder, names[names.length - 1])
    return `${folder} is no store itself, and holds ${names.length} ${names.length === 1 ? 'backup' : 'backups'}; the newest is ${newest}; name one of them`
  }
}

// Whether `folder` is `other` or lies within it, also by another name. It need not exist.
async function isWithin (folder, other) {
  const way = path.relative(await realPath(other), await realPath(folder))
  return !path.isAbsolute(way) && way.split(path.sep)[0] !== '..'
}

async function refuseSame (backup, store) {
  if (await realPath(backup) === await realPath(store)) {
    throw invalid('invalid-folder', 'ERR_INVALID', `the backup and the store are the same folder, ${backup}; name the folder of the backup`)
  }
}

// Of what does not exist yet, that of the part that does.
async function realPath (folder) {
  const resolved = path.resolve(folder)
  try {
    return await fs.promises.realpath(resolved)
  } catch (error) {
    const parent = path.dirname(resolved)
    return parent === resolved ? resolved : path.join(await realPath(parent), path.basename(resolved))
  }
}
