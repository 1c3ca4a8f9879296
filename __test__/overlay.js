// An overlay mount: what stands in its lower layer can be read and written, but its folders cannot be renamed (EXDEV).
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')

module.exports = { onOverlay, skipIf }

// Calls `work` with a folder that shows `lower` through a fresh upper layer, and unmounts it. Returns why not where the
// system refuses the mount.
async function onOverlay (lower, work) {
  const base = fs.mkdtempSync(path.join(path.dirname(lower), 'overlay-'))
  const mounts = []
  const mount = (...args) => {
    execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    mounts.push(args[args.length - 1])
  }
  const at = (name) => path.join(base, name)
  try {
    // The upper layer of an overlay cannot be on another one, as /tmp is in a container.
    fs.mkdirSync(at('layers'))
    mount('-t', 'tmpfs', 'tmpfs', at('layers'))
    ;['lower', 'upper', 'work'].forEach((name) => fs.mkdirSync(at(`layers/${name}`)))
    fs.cpSync(lower, at('layers/lower'), { recursive: true })
    fs.mkdirSync(at('merged'))
    const options = ['lowerdir=lower', 'upperdir=upper', 'workdir=work'].map((option) => option.replace('=', `=${at('layers')}/`))
    mount('-t', 'overlay', '-o', [...options, 'redirect_dir=off'].join(','), 'overlay', at('merged'))
  } catch (error) {
    unmount()
    return `no overlay can be mounted: ${String(error.stderr || error.message).trim()}`
  }
  try {
    await work(at('merged'))
  } finally {
    unmount()
  }

  function unmount () {
    mounts.reverse().forEach((mount) => execFileSync('umount', [mount]))
    fs.rmSync(base, { recursive: true })
  }
}

function skipIf (test, skipped) {
  if (skipped) {
    console.warn(`SKIPPED: ${skipped}`)
    test.skip()
  }
}
