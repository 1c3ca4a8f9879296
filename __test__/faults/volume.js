// A file system of its own, in a file, whose power can be cut.
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { kill, missing, run, withCleanup } = require('./processes.js')

// xfs is never smaller. The file is sparse.
const MEGABYTES = 320
// FS_IOC_SHUTDOWN, which both have, with NOLOGFLUSH. Perl, since every Debian has it and Node has no ioctl.
const SHUT_DOWN = 'open(my $f, "<", $ARGV[0]) or die "$!\\n"; my $flags = pack("L", 2); ioctl($f, 0x8004587D, $flags) or die "$!\\n"'

module.exports = { FILE_SYSTEMS: ['ext4', 'xfs'], onVolume }

// Calls `work` with a volume; a row that says why where this machine does not have any.
async function onVolume (type, folder, fault, work) {
  const skipped = missing('gcc', 'mount', 'perl', `mkfs.${type}`)
  if (skipped) {
    return { fault, skipped }
  }
  const volume = new Volume(type, folder)
  return withCleanup(async () => {
    try {
      volume.make()
    } catch (error) {
      return { fault, skipped: error.message }
    }
    return work(volume)
  }, () => volume.remove())
}

class Volume {
  constructor (type, folder) {
    this.type = type
    this.image = path.join(folder, 'image')
    this.mount = path.join(folder, 'mount')
    this.mounted = false
  }

  make () {
    fs.mkdirSync(this.mount)
    fs.closeSync(fs.openSync(this.image, 'w'))
    fs.truncateSync(this.image, MEGABYTES << 20)
    run(`mkfs.${this.type}`, '-q', this.image)
    this.mountAgain()
  }

  mountAgain () {
    run('mount', '-t', this.type, '-o', 'loop', this.image, this.mount)
    this.mounted = true
  }

  // Shut down without its log being written, and mounted again: what only the system's memory had is gone.
  // Nothing is acknowledged any more once the process stands still.
  async cut (resets) {
    resets.child.kill('SIGSTOP')
    await sleep(5)
    try {
      run('perl', '-e', SHUT_DOWN, this.mount)
    } finally {
      await kill(resets)
    }
    this.unmount()
    this.mountAgain()
  }

  unmount () {
    run('umount', this.mount)
    this.mounted = false
  }

  remove () {
    if (this.mounted) {
      try {
        this.unmount()
      } catch (error) {
        // Somebody is still in it: it goes when they do.
        run('umount', '--lazy', this.mount)
        this.mounted = false
      }
    }
  }
}
