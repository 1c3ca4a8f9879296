// Numbers of the store over the last hour, kept in memory for the page that draws them. A sample asks the store for what it counts
// anyway, and never reads more than a few sessions.
const { now } = require('../host.js')
const { stateCounts } = require('./list.js')

const EVERY_MS = 10 * 1000
const MOST_SAMPLES = 360
// Samples between two counts of the live sessions, and the largest number of sessions of which they are counted.
const COUNT_EVERY = 6
const MOST_COUNTED = 2000
// A session was used lately if it had a request in this time, in seconds.
const LATELY = 5 * 60

module.exports = class Samples {
  constructor (module) {
    this.module = module
    this.samples = []
    this.taken = 0
  }

  start () {
    this.take()
    this.timer = setInterval(() => this.take(), EVERY_MS)
    this.timer.unref()
  }

  stop () {
    clearInterval(this.timer)
  }

  // Returns the samples, oldest first. The rates are those since the sample before.
  list () {
    return this.samples
  }

  // Does nothing while the sample before is not done, and keeps none if the store is closed meanwhile.
  take () {
    if (!this.taking) {
      this.taking = this.sample().catch(() => {}).then(() => { this.taking = undefined })
    }
    return this.taking
  }

  async sample () {
    const { store, signIns } = this.module
    const { commits, cache, diskBytes, waiting } = JSON.parse(await store.stats())
    const kept = await store.count(`${global.appid}/sessions`)
    const sample = {
      time: now(),
      at: performance.now(),
      totals: { commits: commits.total, hits: cache.hits, misses: cache.misses, signIns },
      p50: commits.milliseconds.p50,
      p99: commits.milliseconds.p99,
      diskBytes,
      waiting,
      kept,
      live: await this.countLive(kept),
      usedLately: this.countUsed()
    }
    this.samples.push({ ...sample, ...rates(this.last, sample) })
    this.last = sample
    if (this.samples.length > MOST_SAMPLES) {
      this.samples.shift()
    }
    this.taken++
  }

  // Returns undefined if there are too many sessions to look at each.
  async countLive (kept) {
    if (kept > MOST_COUNTED) {
      this.live = undefined
    } else if (this.taken % COUNT_EVERY === 0) {
      this.live = (await stateCounts(this.module.store, global.appid)).live
    }
    return this.live
  }

  // Sessions with a request to this process lately: from memory.
  countUsed () {
    const { young, old } = this.module.lastSeen
    const since = now() - LATELY
    const start = `${global.appid}/`
    let count = 0
    for (const [generation, newer] of [[young], [old, young]]) {
      for (const [key, { time, seen }] of generation) {
        if ((seen || time) >= since && key.startsWith(start) && !newer?.has(key)) {
          count++
        }
      }
    }
    return count
  }
}

function rates (before, { at, totals }) {
  if (!before) {
    return {}
  }
  const since = (name) => totals[name] - before.totals[name]
  const seconds = (at - before.at) / 1000
  const lookups = since('hits') + since('misses')
  return {
    commitsPerSecond: since('commits') / seconds,
    signInsPerMinute: since('signIns') / seconds * 60,
    hitRate: lookups ? since('hits') / lookups : undefined
  }
}
