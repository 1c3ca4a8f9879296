// Numbers of the store over the last hour, kept in memory for the page that draws them. A sample asks the store for what it counts
// anyway; live sessions are counted only where they are few.
const { now } = require('../host.js')
const { stateCounts } = require('./list.js')

const EVERY_MS = 10 * 1000
const MOST_SAMPLES = 360
// Largest number of sessions of which the live ones are counted: 2,000 take 15 ms. A sample without that takes 3 ms at most.
const MOST_COUNTED = 2000
// A rate over a shorter time, in seconds, says nothing.
const SHORTEST = 2
// A session was used lately if it had a request to this process in this time, in seconds. Those of all applications count.
const LATELY = 5 * 60

module.exports = class Samples {
  constructor (module) {
    this.module = module
    this.samples = []
  }

  start () {
    this.take()
    this.timer = setInterval(() => this.take(), EVERY_MS)
    this.timer.unref()
  }

  // Resolves when no sample needs the store any more.
  async stop () {
    clearInterval(this.timer)
    await this.taking
  }

  // Returns the samples and one of now, oldest first. The rates are those since the sample before.
  async list () {
    return [...this.samples, await this.sample()]
  }

  // Does nothing while the sample before is not done, and keeps none if the store is closed meanwhile.
  take () {
    this.taking = this.taking || this.sample().then((sample) => this.keep(sample), () => {}).then(() => { this.taking = undefined })
  }

  keep (sample) {
    this.samples.push(sample)
    if (this.samples.length > MOST_SAMPLES) {
      this.samples.shift()
    }
  }

  async sample () {
    const { isShared, lastSeen, store, signIns } = this.module
    const { commits, cache, diskBytes, waiting } = JSON.parse(await store.stats())
    const kept = await store.count(`${global.appid}/sessions`)
    const sample = {
      time: now(),
      at: performance.now(),
      totals: { commits: commits.total, hits: cache.hits, misses: cache.misses, signIns },
      p50: commits.recentMilliseconds.p50,
      p99: commits.recentMilliseconds.p99,
      diskBytes: isShared ? undefined : diskBytes,
      waiting,
      kept,
      live: await this.countLive(kept),
      usedLately: lastSeen.countSince(LATELY)
    }
    return { ...sample, ...rates(this.samples.at(-1), sample) }
  }

  // Returns undefined if there are too many sessions to look at each.
  async countLive (kept) {
    if (kept <= MOST_COUNTED) {
      return (await stateCounts(this.module.store, global.appid)).live
    }
  }
}

function rates (before, { at, totals }) {
  if (!before) {
    return {}
  }
  const since = (name) => totals[name] - before.totals[name]
  const seconds = (at - before.at) / 1000
  if (seconds < SHORTEST) {
    const { commitsPerSecond, signInsPerMinute, hitRate } = before
    return { commitsPerSecond, signInsPerMinute, hitRate }
  }
  const lookups = since('hits') + since('misses')
  return {
    commitsPerSecond: since('commits') / seconds,
    signInsPerMinute: since('signIns') / seconds * 60,
    hitRate: lookups ? since('hits') / lookups : undefined
  }
}
