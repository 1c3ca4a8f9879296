// Verifies the store of a running dashboard. It changes while it is read, so a list and its counter would seem to differ; a private
// copy of one moment is verified instead, and removed.
const crypto = require('crypto')
const fs = require('fs').promises
const os = require('os')
const path = require('path')
const { backup } = require('../backup.js')
const native = require('../native.js')

const PREFIX = 'dashboard-sled-verify-'

module.exports = { verifyCopy }

async function verifyCopy ({ module: { store }, signal }) {
  await removeLeftovers()
  const copy = path.join(os.tmpdir(), `${PREFIX}${crypto.randomBytes(16).toString('hex')}`)
  try {
    const { folder, removed, ...report } = await backup(store, copy, {}, signal)
    return report
  } catch (error) {
    if (error.code !== 'ERR_STORE_DAMAGED') {
      throw error
    }
    return findAll(store, error)
  } finally {
    await fs.rm(copy, { recursive: true, force: true })
  }
}

// The copy names its first problem alone. That there is one is certain now, so all are looked for in the store itself; a list that
// changes meanwhile may be among them.
async function findAll (store, error) {
  try {
    const report = JSON.parse(await store.verify())
    if (report.problems) {
      return { ...report, isChanging: true }
    }
  } catch (other) {
    // Another thread uses the store as well.
    if (other.code !== 'ERR_STORE_LOCKED') {
      throw other
    }
  }
  throw error
}

// A process that was killed has left its copy, with everything that the store holds.
async function removeLeftovers () {
  for (const name of await fs.readdir(os.tmpdir())) {
    const folder = path.join(os.tmpdir(), name)
    if (name.startsWith(PREFIX) && await isLeft(folder)) {
      await fs.rm(folder, { recursive: true, force: true })
    }
  }
}

async function isLeft (folder) {
  try {
    const found = await fs.lstat(folder)
    if (!found.isDirectory() || (process.geteuid && found.uid !== process.geteuid())) {
      return false
    }
    // One that is being made is locked. A whole one was about to be removed.
    const store = await native.openStore(folder, 1024 * 1024, 10, false)
    await store.close()
    return true
  } catch (error) {
    return error.code === 'ERR_STORE_UNFINISHED'
  }
}
