// Why something cannot be a folder, for people: the system's own words do not say which part of a path it is.
const fs = require('fs')
const path = require('path')

module.exports = { explainFolder, withSentence }

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

// Puts such a sentence into the error of `work` if one of the folders is what failed.
async function withSentence (folders, work) {
  try {
    return await work()
  } catch (error) {
    const reason = error.code === 'ERR_STORE_IO' && folders.map(explainFolder).find(Boolean)
    if (reason) {
      error.detail = `${reason}; name a folder`
    }
    throw error
  }
}
