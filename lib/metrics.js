// Metrics as text for Prometheus. Counters begin at 0 with the process, so those of several processes add up. No label names an
// account, a session or an address.
const { LIMITS, resetTimes } = require('./reset-times.js')
const { peekModule } = require('./sessions/module.js')
const { failure } = require('./errors.js')
const { readHead } = require('./audit/read.js')

// Sessions with a request within this time are in use, in seconds.
const IN_USE = 5 * 60

// Each has a function of what was found for this scrape. It returns a number, a list of labels with numbers, or undefined for no
// sample.
const gauges = {
  dashboard_sessions_listed: ['Sessions in the list of the application, those that have ended and were not purged yet included', ({ listed }) => listed],
  dashboard_sessions_in_use: ['Sessions with a request to this process within the last five minutes, at most 40000', ({ inUse }) => inUse],
  dashboard_watchers: ['Consumers of watch() in this process', ({ module }) => module.watchers],
  dashboard_audit_entries: ['Number of the last entry of the audit, of all processes', ({ head }) => head.number],
  dashboard_store_waiting_changes: ['Changes that wait to be written', ({ stats }) => stats.waiting],
  dashboard_store_sync_seconds: ['Time until a commit is on the disk, as percentiles of the commits of the last minute or two', ({ stats }) => percentiles(stats.commits.recentMilliseconds)],
  dashboard_store_cache_bytes: ['Size of the cache of records in memory', ({ stats }) => stats.cache.bytes],
  dashboard_store_disk_bytes: ['Size of the files of the store, of one in a folder', ({ stats, module }) => module.isShared ? undefined : stats.diskBytes],
  dashboard_webhook_delivers: ['1 if this process is the one that delivers webhooks', ({ webhook }) => webhook && Number(webhook.delivers)],
  dashboard_webhook_lag_seconds: ['Age of the oldest event that waits to be delivered, 0 if none waits', ({ webhook }) => webhook?.lag],
  dashboard_webhook_failing_accounts: ['Accounts whose next event was tried and not accepted', ({ webhook }) => webhook?.failing],
  dashboard_webhook_undelivered: ['Events that were given up after three days, which Webhooks.undelivered lists', ({ webhook }) => webhook?.undelivered]
}

const counters = {
  dashboard_sign_ins_total: ['Sign-ins at this process', ({ module }) => module.signIns],
  dashboard_ends_total: ['Ends that this process added to the audit, by cause: one each for a session, for all of an account, for all of an application', ({ module }) =>
    [...module.ends].map(([cause, count]) => [{ cause }, count])],
  dashboard_store_commits_total: ['Commits of this process since the store was opened', ({ stats }) => stats.commits.total],
  dashboard_store_stale_writes_total: ['Writes of accounts and sessions by this process of which a part was stale, and therefore refused', ({ stats }) => stats.commits.staleWrites],
  dashboard_store_cache_hits_total: ['Look-ups answered from memory', ({ stats }) => stats.cache.hits],
  dashboard_store_cache_misses_total: ['Look-ups answered from the disk', ({ stats }) => stats.cache.misses],
  dashboard_webhook_attempts_total: ['Attempts to deliver an event, by result', ({ webhook }) =>
    webhook && [[{ result: 'delivered' }, webhook.delivered], [{ result: 'failed' }, webhook.failed]]]
}

let made

module.exports = { metricsText, metricsType: 'text/plain; version=0.0.4; charset=utf-8' }

// Returns the metrics of the active module.
async function metricsText () {
  const module = peekModule()
  if (!module) {
    throw failure('module-inactive', 'ERR_MODULE_INACTIVE', 'the dashboard does not run dashboard-sled as a module: list it under dashboard.modules, and set STORAGE=dashboard-sled')
  }
  const found = await collect(module)
  // The text is made in the same turn in which the numbers are set, or those of two scrapes would mix.
  made = made || makeRegistry()
  const turn = made.turn.then(() => {
    made.found = found
    return made.registry.metrics()
  })
  made.turn = turn.catch(() => {})
  return turn
}

async function collect (module) {
  const { store, webhooks } = module
  const [stats, head, listed, webhook] = await Promise.all([
    store.stats().then(JSON.parse), readHead(store), store.count(`${global.appid}/sessions`), webhooks?.status()
  ])
  return { module, stats, head, listed, webhook, inUse: module.lastSeen.countSince(IN_USE) }
}

// The library is loaded by the first scrape.
function makeRegistry () {
  const { Counter, Gauge, Registry } = require('prom-client')
  const making = { registry: new Registry(), turn: Promise.resolve(), found: undefined }
  const add = (Type, metrics, put) => {
    for (const [name, [help, valueOf]] of Object.entries(metrics)) {
      const labelNames = labelsOf[name] || []
      const metric = new Type({
        name,
        help,
        labelNames,
        registers: [making.registry],
        collect () {
          this.reset()
          const value = valueOf(making.found)
          const values = Array.isArray(value) ? value : [[{}, value]]
          // Without labels, a reset leaves a sample of 0.
          if (value === undefined && !labelNames.length) {
            this.remove()
          }
          values.filter(([, number]) => number !== undefined && number !== null).forEach(([labels, number]) => put(metric, labels, number))
        }
      })
    }
  }
  add(Gauge, gauges, (metric, labels, number) => metric.set(labels, number))
  add(Counter, counters, (metric, labels, number) => metric.inc(labels, number))
  making.registry.registerMetric(resets)
  return making
}

const labelsOf = {
  dashboard_ends_total: ['cause'],
  dashboard_store_sync_seconds: ['quantile'],
  dashboard_webhook_attempts_total: ['result']
}

// A histogram whose numbers are not the library's.
const resets = {
  name: 'dashboard_reset_seconds',
  async get () {
    const { upTo, count, sum } = resetTimes()
    const { name } = resets
    return {
      name,
      help: 'Time of a reset of a session key, until it is on the disk and in force',
      type: 'histogram',
      values: [
        ...upTo.map((value, index) => ({ metricName: `${name}_bucket`, labels: { le: LIMITS[index] }, value })),
        { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
        { metricName: `${name}_sum`, labels: {}, value: sum },
        { metricName: `${name}_count`, labels: {}, value: count }
      ]
    }
  }
}

function percentiles ({ p50, p99 }) {
  return [['0.5', p50], ['0.99', p99]].map(([quantile, milliseconds]) => [{ quantile }, milliseconds === null ? null : milliseconds / 1000])
}
