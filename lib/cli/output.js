// Writes lines into a file, which is complete or not there at all, or into an existing pipe or device.
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { pipeline } = require('stream/promises')
const { failure } = require('../errors.js')
const { explainDanglingLink } = require('../folders.js')
const { onInterrupt } = require('./interrupt.js')
const { write } = require('./write.js')

module.exports = { isStandardOutput, writeFile, writeStandardOutput }

// Returns whether this is another name of the standard output, like /dev/stdout.
function isStandardOutput (file) {
  const [named, own] = [fs.statSync(file, { throwIfNoEntry: false }), fs.fstatSync(1)]
  return Boolean(named) && named.dev === own.dev && named.ino === own.ino
}

async function writeStandardOutput (lines) {
  for await (const line of lines) {
    await write(process.stdout, line)
  }
}

// Follows a link, replaces a regular file, and writes into anything else.
async function writeFile (file, lines) {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  const dangling = !found && explainDanglingLink(file)
  if (dangling) {
    throw failure('file-failed', 'ERR_FILE', dangling)
  }
  if (found && found.isDirectory()) {
    throw failure('file-failed', 'ERR_FILE', `${file} is a folder; name a file`)
  }
  if (found && !found.isFile()) {
    const handle = await fs.promises.open(file, fs.constants.O_WRONLY)
    return pipeline(lines, handle.createWriteStream())
  }
  return replace(found ? fs.realpathSync(file) : file, lines)
}

// The name of the new file cannot be guessed, and an existing file with that name is never opened.
async function replace (file, lines) {
  const part = path.join(path.dirname(file), `${path.basename(file)}.${crypto.randomBytes(8).toString('hex')}.part`)
  const descriptor = fs.openSync(part, 'wx', 0o600)
  const remove = () => fs.rmSync(part, { force: true })
  const cancelCleanup = onInterrupt(remove)
  try {
    await pipeline(lines, fs.createWriteStream(part, { fd: descriptor, autoClose: false }))
    fs.fsyncSync(descriptor)
    fs.renameSync(part, file)
  } catch (error) {
    remove()
    throw error
  } finally {
    fs.closeSync(descriptor)
    cancelCleanup()
  }
}
