// The removal of sessions that ended long ago: by a call, or every hour in the running dashboard (SLED_PURGE_AFTER).
const { readAge } = require('./age.js')
const Findings = require('./findings.js')
const { configuredSecret, now } = require('./host.js')

const FIRST_MS = 60 * 1000
const EVERY_MS = 60 * 60 * 1000

module.exports = { purge, purgeRegularly }

async function purge (store, { olderThan, dryRun = false } = {}) {
  const age = readAge(olderThan)
  const total = { sessions: 0, removed: 0, unreadable: 0, others: 0 }
  const damage = new Findings()
  const time = now()
  let page
  do {
    // A page at a time, so that other calls are answered in between.
    page = JSON.parse(await store.purge(page && page.next, time, time - age, dryRun === true, configuredSecret()))
    for (const kind in total) {
      total[kind] += page[kind]
    }
    damage.add(page.damaged, page.described)
  } while (page.next)
  return { ...total, damaged: damage.number, described: damage.described }
}

// Returns a function that ends it. It does not keep the process alive.
function purgeRegularly (store, olderThan, firstMs = FIRST_MS, everyMs = EVERY_MS) {
  let timer
  const wait = (milliseconds) => {
    timer = setTimeout(async () => {
      try {
        const { damaged, described } = await purge(store, { olderThan })
        if (damaged) {
          warn(`left ${damaged} damaged records and lists as they are (${described.slice(0, 5).join(', ')}); restore a backup`)
        }
      } catch (error) {
        // Another process of a cluster does it.
        if (!['ERR_STORE_CLOSED', 'ERR_PURGE_RUNNING'].includes(error.code)) {
          warn(`could not remove old sessions: ${error.detail || error.message}`)
        }
      }
      if (timer) {
        wait(everyMs)
      }
    }, milliseconds)
    timer.unref()
  }
  wait(firstMs)
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}

function warn (text) {
  process.emitWarning(`dashboard-sled ${text}`, { code: 'DASHBOARD_SLED_PURGE' })
}
