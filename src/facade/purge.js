// Sessions that ended long ago, removed: by a call, or by itself in the running dashboard.
const { readAge } = require('./age.js')
const { now, secrets } = require('./host.js')

const FIRST_MS = 60 * 1000
const EVERY_MS = 60 * 60 * 1000

module.exports = { purge, purgeRegularly }

async function purge (store, { olderThan, dryRun = false } = {}) {
  const age = readAge(olderThan)
  const total = { sessions: 0, removed: 0, unreadable: 0, others: 0 }
  const time = now()
  let page
  do {
    // Between the pages every other call has its turn.
    page = JSON.parse(await store.purge(page && page.next, time, time - age, dryRun === true, ...secrets()))
    for (const kind in total) {
      total[kind] += page[kind]
    }
  } while (page.next)
  return total
}

// Never keeps the process alive. Returns what ends it.
function purgeRegularly (store, olderThan, first = FIRST_MS, every = EVERY_MS) {
  let timer
  const wait = (milliseconds) => {
    timer = setTimeout(async () => {
      try {
        await purge(store, { olderThan })
      } catch (error) {
        if (error.code !== 'ERR_STORE_CLOSED') {
          process.emitWarning(`dashboard-sled could not remove old sessions: ${error.detail || error.message}`, { code: 'DASHBOARD_SLED_PURGE' })
        }
      }
      if (timer) {
        wait(every)
      }
    }, milliseconds)
    timer.unref()
  }
  wait(first)
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
