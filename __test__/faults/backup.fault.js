// Backups that are killed at any time, again and again into one folder: what is left is whole or refused, never less than it
// says. The control takes the mark away from what is left.
const crypto = require('crypto')
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const addon = require('../../index.js')
const { changeGuard } = require('../helpers/damage.js')
const { makeFolder } = require('./worker.js')

const RECORDS = 3000

module.exports = { run }

async function run ({ long }) {
  const folder = makeFolder()
  try {
    return await killBackups(folder, long ? 200 : 20)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

async function killBackups (folder, rounds) {
  const store = path.join(folder, 'store')
  const backup = path.join(folder, 'backup')
  await fill(store)
  const killed = { fault: 'a backup that is killed at any time: whole or refused, and not changed by what looks at it', tried: 0, lost: 0 }
  const control = { fault: 'the same without the mark of a copy', tried: 0, lost: 0, mustLose: true }
  const outcomes = {}
  const whole = await timeBackup(store, backup)
  for (let round = 0; round < rounds; round++) {
    // Over what the kill before has left.
    await killAfter(store, backup, whole * (round + 0.5) / rounds)
    const before = read(backup)
    const seen = await look(backup)
    const unchanged = seen === 'whole' || read(backup) === before
    outcomes[seen] = (outcomes[seen] || 0) + 1
    killed.tried++
    if (!unchanged || !['whole', 'ERR_STORE_UNFINISHED', 'ERR_STORE_MISSING'].includes(seen)) {
      killed.lost++
      console.error(`round ${round}: ${seen}, ${unchanged ? '' : 'changed'}`)
    }
    if (seen === 'ERR_STORE_UNFINISHED') {
      control.tried++
      changeGuard(path.join(backup, 'guard'), (slot) => slot.writeUInt8(0, 12))
      control.lost += await look(backup) === 'whole' ? 0 : 1
    }
    if (seen === 'whole' || seen === 'ERR_STORE_UNFINISHED') {
      fs.rmSync(backup, { recursive: true })
    }
  }
  console.log('backups that were killed:', outcomes)
  return [killed, control]
}

async function fill (path) {
  const store = await addon.open({ path })
  await store.load(Array.from({ length: RECORDS }, (_, i) => ({ record: `x/${i}`, contents: Buffer.alloc(1000, i) })))
  await store.close()
}

function startBackup (store, backup) {
  return spawn(process.execPath, [path.join(__dirname, '..', 'fixtures', 'backup.js'), backup],
    { env: { ...process.env, SLED_PATH: store }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

async function timeBackup (store, backup) {
  const child = startBackup(store, backup)
  await once(child, 'message')
  const begun = Date.now()
  child.send('go')
  await once(child, 'message')
  await once(child, 'exit')
  fs.rmSync(backup, { recursive: true })
  return Date.now() - begun
}

async function killAfter (store, backup, milliseconds) {
  const child = startBackup(store, backup)
  await once(child, 'message')
  const exit = once(child, 'exit')
  child.send('go')
  await sleep(milliseconds)
  child.kill('SIGKILL')
  await exit
}

async function look (backup) {
  try {
    const store = await addon.open({ path: backup, create: false })
    const { records, problems } = await store.verify().finally(() => store.close())
    return records === RECORDS && !problems ? 'whole' : `${records} records, ${problems} problems`
  } catch ({ code }) {
    return code
  }
}

function read (folder) {
  const hash = crypto.createHash('sha256')
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).sort() : []) {
    const file = path.join(folder, name)
    hash.update(name)
    fs.statSync(file).isFile() && hash.update(fs.readFileSync(file))
  }
  return hash.digest('hex')
}
