// File systems that a test mounts. Where the system refuses a mount, a reason to skip the test is returned.
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')

module.exports = { mount, onOverlay, skipIf, unmount }

// Mounts a file system as the program mount is told to.
function mount (...args) {
  try {
    execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    return `nothing can be mounted: ${String(error.stderr || error.message).trim()}`
  }
}

// Also while a thread of sled still has a file open.
function unmount (folder) {
  execFileSync('umount', ['--lazy', folder])
}

// Calls `work` with an overlay of the folder `lower`, and unmounts it. Files of the lower layer can be read and written, but its
// folders cannot be renamed (EXDEV).
async function onOverlay (lower, work) {
  const base = fs.mkdtempSync(path.join(path.dirname(lower), 'overlay-'))
  const mounts = []
  const make = (...args) => {
    const refused = mount(...args)
    assert(!refused, refused)
    mounts.push(args[args.length - 1])
  }
  const at = (name) => path.join(base, name)
  try {
    // The upper layer of an overlay cannot be on another one, as /tmp is in a container.
    fs.mkdirSync(at('layers'))
    make('-t', 'tmpfs', 'tmpfs', at('layers'))
    ;['lower', 'upper', 'work'].forEach((name) => fs.mkdirSync(at(`layers/${name}`)))
    fs.cpSync(lower, at('layers/lower'), { recursive: true })
    fs.mkdirSync(at('merged'))
    const options = ['lowerdir=lower', 'upperdir=upper', 'workdir=work'].map((option) => option.replace('=', `=${at('layers')}/`))
    make('-t', 'overlay', '-o', [...options, 'redirect_dir=off'].join(','), 'overlay', at('merged'))
  } catch (error) {
    remove()
    return error.message
  }
  try {
    await work(at('merged'))
  } finally {
    remove()
  }

  function remove () {
    mounts.reverse().forEach(unmount)
    fs.rmSync(base, { recursive: true })
  }
}

function skipIf (test, skipped) {
  if (skipped) {
    console.warn(`SKIPPED: ${skipped}`)
    test.skip()
  }
}
