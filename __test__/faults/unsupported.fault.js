// A file system that lacks something: a warning, and the store works. What fails for another reason is still an error.
const { fork } = require('child_process')
const path = require('path')
const { inFolder } = require('./processes.js')
const { compile } = require('./shim.js')

const FAULT = 'a file system that lacks something'
const CASES = [
  { lacking: 'room', warnings: ['DASHBOARD_SLED_ROOM'] },
  { lacking: 'folders', warnings: ['DASHBOARD_SLED_FOLDER_SYNC'] },
  { lacking: 'nothing', warnings: [] },
  { lacking: 'damage', warnings: [], error: 'ERR_STORE_IO' }
]

module.exports = { run }

async function run () {
  return inFolder(async (folder) => {
    const shim = compile('unsupported', folder)
    if (!shim) {
      return [{ fault: FAULT, skipped: 'there is no gcc' }]
    }
    const row = { fault: FAULT, tried: 0, lost: 0 }
    for (const { lacking, warnings, error } of CASES) {
      const seen = await ask({ LD_PRELOAD: shim, UNSUPPORTED: lacking, SLED_PATH: path.join(folder, lacking) })
      row.tried++
      if (seen.error !== error || String(seen.warnings) !== String(warnings)) {
        row.lost++
        console.error(lacking, seen)
      }
    }
    return [row]
  })
}

function ask (env) {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, 'fixtures', 'unsupported.js'), { env: { ...process.env, ...env }, timeout: 30000 })
    child.on('message', resolve)
    child.on('close', () => reject(new Error('unsupported.js gave no answer')))
  })
}
