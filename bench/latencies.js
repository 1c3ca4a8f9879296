// How long single calls take, at the median and in the worst of a hundred and of a thousand: on a quiet machine, beside other
// changes, and on a busy machine.
const { execFile, spawn } = require('child_process')
const os = require('os')
const path = require('path')
const { promisify } = require('util')
const { measureRounds } = require('./compare.js')
const { goalFor } = require('./goals.js')
const { loadStores, startUsing } = require('./load.js')
const { median } = require('./measure.js')
const { ours, stores } = require('./stores.js')

const group = 'latency'
const compared = [ours, 'sqlite', 'lmdb-flushed', 'level', 'redis-always']
const warmUpMilliseconds = 150
const figures = ['p50', 'p99', 'p999', 'perSecond', 'calls', 'processor']
// Every store of this table is durable, so ours is compared with all of them.
const tails = { figures: ['p99', 'p999'], least: 1 }
const busyGoals = [{ store: 'lmdb-flushed', figures: ['perSecond'], least: 1 }, { store: 'sqlite', figures: ['perSecond'], least: 1 / 1.5 }]
// In the order of measuring: the writes beside put sessions into memory.
const situations = [
  {
    name: 'quiet',
    title: 'A single reset, quiet machine',
    args: { work: 'patch' },
    isBare: true,
    goals: [{ store: 'sqlite', figures: ['p50'], least: 1.5 }, { store: 'bare', figures: ['p50'], least: 1 / 1.25 }, tails]
  },
  { name: 'busy', title: 'A single reset, busy machine', args: { work: 'patch' }, isBusy: true, isBare: true, goals: busyGoals },
  {
    name: 'busy-get',
    title: '`Session.get` not in memory, one at a time, busy machine',
    args: { work: 'get', from: 0 },
    isBusy: true,
    goals: busyGoals
  },
  { name: 'beside', title: 'A single reset beside 64 writes in flight', args: { work: 'patch', beside: 64 }, goals: [tails] }
]
const bare = { name: 'bare', title: 'one write of 4 KB with O_DSYNC, by itself' }

module.exports = { groups: [group], run, steps: (context) => namesIn(context).length * (1 + context.rounds) + context.rounds }

function namesIn ({ names }) {
  return compared.filter((name) => names.includes(name))
}

async function run (context) {
  const names = namesIn(context)
  const loaded = await loadStores(context, names, context.sessions)
  const runners = [...loaded, { name: bare.name, store: bare }]
  const { rounds, failures } = await measureRounds(context, 'latency', runners, (runner) =>
    runner.ask ? startUsing(runner, () => measureAll(runner, context)) : measureBare(context))
  await Promise.all(loaded.map((one) => one.remove()))
  return situations.map((situation) => makeTable(context, situation, names, rounds, failures))
}

async function measureAll (one, { milliseconds, sessions }) {
  const found = {}
  for (const { name, args, isBusy } of situations) {
    if (args.work === 'patch') {
      await one.measure({ slice: 1, milliseconds: warmUpMilliseconds, work: args.work })
    }
    const measure = () => one.measure({ slice: 1, milliseconds: milliseconds * 2, most: args.work === 'get' ? sessions : undefined, ...args })
    found[name] = await (isBusy ? beBusy(measure) : measure())
  }
  return found
}

async function measureBare ({ milliseconds, folder }) {
  const found = {}
  for (const { name, isBusy } of situations.filter(({ isBare }) => isBare)) {
    const measure = async () => {
      const args = [path.join(__dirname, 'bare-write.js'), path.join(folder, 'bare'), String(milliseconds * 2)]
      return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout)
    }
    found[name] = await (isBusy ? beBusy(measure) : measure())
  }
  return found
}

// With as many endless loops beside as there are processors.
async function beBusy (measure) {
  const loops = os.cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  try {
    return await measure()
  } finally {
    loops.forEach((loop) => loop.kill('SIGKILL'))
  }
}

// Medians of the rounds.
function makeTable ({ unavailable }, { name, title, goals, isBare }, names, rounds, failures) {
  const found = {}
  for (const store in rounds) {
    const all = rounds[store].map((round) => round[name]).filter(Boolean)
    if (all.length) {
      found[store] = Object.fromEntries(figures.map((figure) => [figure, median(all.map((round) => round[figure] ?? NaN))]))
    }
  }
  const own = found[ours]
  const rows = [...names, ...isBare ? [bare.name] : []].map((store) => {
    const row = { store, title: (stores[store] || bare).title, durable: true }
    if (!found[store]) {
      return { ...row, missing: unavailable[store] || failures[store] || 'not measured' }
    }
    Object.assign(row, found[store], { problems: failures[store] && [failures[store]] })
    if (own && store !== ours) {
      row.times = { p50: row.p50 / own.p50, p99: row.p99 / own.p99, p999: row.p999 / own.p999, perSecond: own.perSecond / row.perSecond }
      row.goals = goals.filter((goal) => goal.store ? goal.store === store : store !== bare.name)
        .flatMap(({ figures, least }) => figures.map((figure) => goalFor(figure, { least }, row.times[figure])))
    }
    return row
  })
  return { kind: 'latencies', name: `latency-${name}`, title, rows }
}
