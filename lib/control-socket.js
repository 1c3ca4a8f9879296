// Where the running dashboard listens: a socket in the folder of the store. On Windows a file there has the random name of a pipe,
// which nobody can take who cannot read the folder.
const crypto = require('crypto')
const fs = require('fs')
const net = require('net')
const path = require('path')
const { failure } = require('./errors.js')

const NAME = 'control'
const UNPUBLISHED = 'control.new'
// Longest path of a socket in bytes: 104 on macOS, 108 on Linux, with a zero at the end. Some versions of Node cut a longer one.
const LONGEST = 103

module.exports = { findPlace, isServed, makePlace, removeStale }

// Returns { path, close } of the place where a dashboard may listen, or undefined. Call `close` after connecting.
function findPlace (folder) {
  const file = path.join(folder, NAME)
  try {
    const found = fs.lstatSync(file)
    if (process.platform === 'win32') {
      return found.isFile() ? { path: readPipe(file), close: () => {} } : undefined
    }
    return found.isSocket() ? socketPath(folder, NAME) : undefined
  } catch (error) {
    // The folder is missing, or this user may not look into it: opening the store says so.
    return undefined
  }
}

// Returns the same for a new place. `publish` makes it the one that is found, and `remove` removes it unless another has taken its
// place.
function makePlace (folder) {
  return process.platform === 'win32' ? makePipe(folder) : makeSocket(folder)
}

// Until it is published the socket has another name, so that nobody meets it with other rights, and an old one is replaced at once.
function makeSocket (folder) {
  const file = path.join(folder, NAME)
  const unpublished = path.join(folder, UNPUBLISHED)
  // Left by a process that was killed.
  fs.rmSync(unpublished, { force: true })
  const place = socketPath(folder, UNPUBLISHED)
  let made
  return {
    ...place,
    publish: () => {
      fs.chmodSync(unpublished, 0o600)
      giveToOwner(unpublished, folder)
      fs.renameSync(unpublished, file)
      made = fs.lstatSync(file).ino
    },
    remove: () => {
      if (made !== undefined && fs.lstatSync(file, { throwIfNoEntry: false })?.ino === made) {
        fs.rmSync(file, { force: true })
      }
    }
  }
}

// Returns whether something listens in this folder.
async function isServed (folder) {
  const place = findPlace(folder)
  return Boolean(place) && await tryOut(place) === undefined
}

// Removes what a process that was killed has left: a restore would take it for a file of somebody else.
async function removeStale (folder) {
  for (const name of [NAME, UNPUBLISHED]) {
    const file = path.join(folder, name)
    const found = lookAt(file)
    if (found?.isSocket() && await tryOut(socketPath(folder, name)) === 'ECONNREFUSED' && lookAt(file)?.ino === found.ino) {
      fs.rmSync(file, { force: true })
    }
  }
}

// Undefined as well where the folder is a file: the restore says so.
function lookAt (file) {
  try {
    return fs.lstatSync(file)
  } catch (error) {
  }
}

// Connects, and returns the code of the error if that fails.
function tryOut (place) {
  return new Promise((resolve) => {
    const socket = net.connect(place.path)
    const end = (code) => {
      socket.destroy()
      place.close()
      resolve(code)
    }
    socket.once('connect', () => end())
    socket.once('error', ({ code }) => end(code))
  })
}

// A socket of root could not be used by the owner of the store.
function giveToOwner (socket, folder) {
  const { uid, gid } = fs.statSync(folder)
  if (process.geteuid() === 0 && uid !== 0) {
    fs.lchownSync(socket, uid, gid)
  }
}

function makePipe (folder) {
  const file = path.join(folder, NAME)
  const name = crypto.randomBytes(16).toString('hex')
  return {
    path: pipePath(name),
    close: () => {},
    publish: () => fs.writeFileSync(file, name, { mode: 0o600 }),
    remove: () => {
      if (fs.existsSync(file) && readPipe(file) === pipePath(name)) {
        fs.rmSync(file, { force: true })
      }
    }
  }
}

function readPipe (file) {
  return pipePath(fs.readFileSync(file, 'latin1').replace(/[^0-9a-f]/g, ''))
}

function pipePath (name) {
  return `\\\\.\\pipe\\dashboard-sled-${name}`
}

// Returns { path, close } of a socket in `folder`. A path that is too long for a socket leads over an open folder, where the system
// can do that, or begins at the working folder.
function socketPath (folder, name) {
  const whole = path.join(folder, name)
  if (fits(whole)) {
    return { path: whole, close: () => {} }
  }
  if (process.platform === 'linux') {
    const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
    return { path: `/proc/self/fd/${descriptor}/${name}`, close: () => fs.closeSync(descriptor) }
  }
  const relative = path.relative(process.cwd(), whole)
  if (!fits(relative)) {
    throw failure('control-path-too-long', 'ERR_STORE_IO', `the path ${whole} is too long for a socket; use a folder with a shorter path`)
  }
  return { path: relative, close: () => {} }
}

function fits (name) {
  return Buffer.byteLength(name) <= LONGEST
}
