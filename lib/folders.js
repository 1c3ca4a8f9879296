// Compares folders, and explains errors about them: the system's own message does not say which part of a path is wrong.
const fs = require('fs')
const path = require('path')
const { findBackups } = require('./dated-backups.js')
const { invalid } = require('./errors.js')

module.exports = { explainDanglingLink, explainFolder, isSame, isWithin, refuseSame, withSentence }

// Returns why this cannot be a folder; undefined if it is a folder, or if it could be made.
function explainFolder (folder) {
  const resolved = path.resolve(folder)
  const parent = path.dirname(resolved)
  return (parent === resolved ? undefined : explainFolder(parent)) || explainOne(resolved)
}

function explainOne (folder) {
  try {
    const target = fs.statSync(folder, { throwIfNoEntry: false })
    if (!target) {
      return explainDanglingLink(folder)
    }
    return target.isDirectory() ? undefined : `${folder} is not a folder`
  } catch (error) {
    // A part that this user may not read is reported by the call that uses it.
    return undefined
  }
}

// Returns undefined if the file is not a link; call this only for a file that does not exist.
function explainDanglingLink (file) {
  const link = fs.lstatSync(file, { throwIfNoEntry: false })
  return link && link.isSymbolicLink() ? `${file} is a symbolic link to ${fs.readlinkSync(file)}, which does not exist` : undefined
}

// Adds what is wrong with a folder to the error of `work` if one of the folders is the cause. The first is the folder of the store.
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

// Returns undefined if the folder contains no backups.
async function explainBackups (folder) {
  const names = await findBackups(folder).catch(() => [])
  if (names.length) {
    const newest = path.join(folder, names[names.length - 1])
    return `${folder} is not a store itself, and holds ${names.length} ${names.length === 1 ? 'backup' : 'backups'}; the newest is ${newest}; name one of them`
  }
}

// Returns whether `folder` is `other` or lies within it, even by another name. Neither has to exist.
async function isWithin (folder, other) {
  const relative = path.relative(await realPath(other), await realPath(folder))
  return !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..'
}

async function isSame (folder, other) {
  return await realPath(folder) === await realPath(other)
}

async function refuseSame (backup, store) {
  if (await isSame(backup, store)) {
    throw invalid('invalid-folder', `the backup and the store are the same folder, ${backup}; name the folder of the backup`)
  }
}

// Of a folder that does not exist yet, the existing part of the path is resolved.
async function realPath (folder) {
  const resolved = path.resolve(folder)
  try {
    return await fs.promises.realpath(resolved)
  } catch (error) {
    const parent = path.dirname(resolved)
    return parent === resolved ? resolved : path.join(await realPath(parent), path.basename(resolved))
  }
}
