// A backup to a volume that hangs: the store works on, with few threads more, and the backup is done when the volume is back.
const { fork } = require('child_process')
const fs = require('fs')
const path = require('path')
const { inFolder, missing, run: command, withCleanup } = require('./processes.js')
const { onVolume } = require('./volume.js')

const FAULT = 'a write while a backup hangs'
const CONTROL = 'the same while the store hangs'
// Two flushes, and what sled and the system start for each of two backups.
const MOST_THREADS = 14

module.exports = { run }

async function run ({ long }) {
  const skipped = missing('fsfreeze')
  if (skipped) {
    return [{ fault: FAULT, skipped }]
  }
  return inFolder(async (folder) => {
    const result = await onVolume('ext4', folder, FAULT, async (volume) => {
      const row = { fault: FAULT, tried: 0, lost: 0 }
      for (const delay of long ? [0, 50, 100, 200, 400, 800, 1600] : [100, 800]) {
        const stores = fs.mkdtempSync(path.join(folder, 'stores-'))
        const { writes, threads, backups } = await hang(volume, stores, delay)
        const wrong = [...writes.failed, ...backups.filter((code) => code !== 'done'), ...threads > MOST_THREADS ? [`${threads} threads`] : []]
        row.tried += writes.tried
        row.lost += wrong.length
        if (wrong.length) {
          console.error(`after ${delay} ms: ${wrong.slice(0, 5)}`)
        }
        fs.rmSync(stores, { recursive: true })
        fs.readdirSync(volume.mount).filter((name) => name.startsWith('backup')).forEach((name) => fs.rmSync(path.join(volume.mount, name), { recursive: true }))
      }
      const { writes } = await hang(volume, fs.mkdtempSync(path.join(volume.mount, 'stores-')), 100)
      return [row, { fault: CONTROL, tried: writes.tried, lost: writes.failed.length, mustLose: true }]
    })
    return [result].flat()
  })
}

function hang (volume, stores, delay) {
  const env = { ...process.env, TARGET: volume.mount, STORES: stores, DELAY: String(delay) }
  const child = fork(path.join(__dirname, 'fixtures', 'hanging-target.js'), { env, timeout: 180000 })
  let frozen = false
  const thaw = () => {
    if (frozen) {
      command('fsfreeze', '--unfreeze', volume.mount)
      frozen = false
    }
  }
  return withCleanup(() => new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (!message.say) {
        return resolve(message)
      }
      if (message.say === 'freeze') {
        command('fsfreeze', '--freeze', volume.mount)
        frozen = true
      } else {
        thaw()
      }
      child.send('done')
    })
    child.on('close', (code) => reject(new Error(`hanging-target.js ended with ${code}`)))
  }), thaw)
}
