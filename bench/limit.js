// Cost of a durable commit by itself on the same disk (benches/limit.rs), measured like a store.
const { execFile } = require('child_process')
const fs = require('fs')
const path = require('path')
const { promisify } = require('util')
const { limit } = require('./stores.js')

const run = promisify(execFile)
const root = path.join(__dirname, '..')
const build = ['bench', '--locked', '--bench', 'limit', '--no-run', '--message-format', 'json']

class LimitProcess {
  constructor (executable, folder) {
    this.name = 'limit'
    this.store = limit
    this.executable = executable
    this.folder = folder
  }

  static async open (folder) {
    return new LimitProcess(await buildLimit(), folder)
  }

  restart () {}

  // Its single figure is for sled's flush() and fdatasync alone, the other one for the whole commit.
  async measure ({ width = 1, milliseconds }) {
    fs.mkdirSync(this.folder, { recursive: true })
    const { stdout } = await run(this.executable, [this.folder, String(Math.round(milliseconds)), String(width)])
    const { flushAndSync, perSecond } = JSON.parse(stdout)
    return width === 1 ? { microseconds: flushAndSync } : { perSecond }
  }
}

module.exports = { buildLimit, LimitProcess }

// Resolves to the program; the first time takes some minutes.
async function buildLimit () {
  const { stdout } = await run('cargo', build, { cwd: root, maxBuffer: 2 ** 28 })
  const messages = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line))
  return messages.find(({ target, executable }) => executable && target.name === 'limit').executable
}
