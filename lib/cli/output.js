// Where lines go: into a file that is there whole or not at all, or into what is there already.
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { pipeline } = require('stream/promises')
const { failure } = require('./failure.js')
const { onInterrupt } = require('./interrupt.js')
const { write } = require('./write.js')

module.exports = { isStandardOutput, writeFile, writeStandardOutput }

// Whether this is another name of it, like /dev/stdout.
function isStandardOutput (file) {
  const [named, own] = [fs.statSync(file, { throwIfNoEntry: false }), fs.fstatSync(1)]
  return Boolean(named) && named.dev === own.dev && named.ino === own.ino
}

async function writeStandardOutput (lines) {
  for await (const line of lines) {
    await write(process.stdout, line)
  }
}

// A link is followed, a regular file is replaced, and anything else is written into.
async function writeFile (file, lines) {
  const found = fs.statSync(file, { throwIfNoEntry: false })
  if (!found && fs.lstatSync(file, { throwIfNoEntry: false })) {
    throw failure('file-failed', 'ERR_FILE', `${file} is a symbolic link to ${fs.readlinkSync(file)}, which does not exist`)
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

// The name cannot be known before, and what is there under it is never opened.
async function replace (file, lines) {
  const part = path.join(path.dirname(file), `${path.basename(file)}.${crypto.randomBytes(8).toString('hex')}.part`)
  const descriptor = fs.openSync(part, 'wx', 0o600)
  const remove = () => fs.rmSync(part, { force: true })
  const takeBack = onInterrupt(remove)
  try {
    await pipeline(lines, fs.createWriteStream(part, { fd: descriptor, autoClose: false }))
    fs.fsyncSync(descriptor)
    fs.renameSync(part, file)
  } catch (error) {
    remove()
    throw error
  } finally {
    fs.closeSync(descriptor)
    takeBack()
  }
}
