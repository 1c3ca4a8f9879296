// Sessions that ended long ago, removed: by a call, or by itself in the running dashboard.
const { readAge } = require('./age.js')
const { now, secrets } = require('./host.js')

const FIRST_MS = 60 * 1000
const EVERY_MS = 60 * 60 * 1000
// Damage is named so many times, and counted.
const DESCRIBED = 100

module.exports = { purge, purgeRegularly }

async function purge (store, { olderThan, dryRun = false } = {}) {
  const age = readAge(olderThan)
  const total = { sessions: 0, removed: 0, unreadable: 0, others: 0, damaged: 0 }
  const described = []
  const time = now()
  let page
  do {
    // Between the pages every other call has its turn.
    page = JSON.parse(await store.purge(page && page.next, time, time - age, dryRun === true, ...secrets()))
    for (const kind in total) {
      total[kind] += page[kind]
    }
    described.push(...page.described.slice(0, DESCRIBED - described.length))
  } while (page.next)
  return { ...total, described }
}

// Never keeps the process alive. Returns what ends it.
function purgeRegularly (store, olderThan, first = FIRST_MS, every = EVERY_MS) {
  let timer
  const wait = (milliseconds) => {
    timer = setTimeout(async () => {
      try {
        const { damaged, described } = await purge(store, { olderThan })
        if (damaged) {
          warn(`left ${damaged} damaged records and lists as they are, and went on (${described.slice(0, 5).join(', ')}); restore a backup`)
        }
      } catch (error) {
        if (error.code !== 'ERR_STORE_CLOSED') {
          warn(`could not remove old sessions: ${error.detail || error.message}`)
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

function warn (text) {
  process.emitWarning(`dashboard-sled ${text}`, { code: 'DASHBOARD_SLED_PURGE' })
}
