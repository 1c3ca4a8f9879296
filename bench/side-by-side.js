// The same work on every store in turn, round after round, so that what the machine does meanwhile strikes all of them.
const { LimitProcess } = require('./limit.js')
const { median } = require('./measure.js')
const { ours, stores } = require('./stores.js')

const warmUp = 0.25
const ahead = { least: 1 }
const durable = { sqlite: ahead, 'lmdb-flushed': ahead, level: ahead, 'redis-always': ahead }
const all = { ...durable, lmdb: ahead, redis: ahead, files: ahead }

// What is measured: `width` calls in flight, or one at a time, with times taken of `slice` of them together. The goals
// are for how many times as fast ours is, at least; or for how many times the limit it takes, at most.
const measurements = [
  {
    group: 'get',
    name: 'get-alone',
    title: '`Session.get`, one at a time',
    slice: 100,
    goals: { lmdb: { least: 5 }, 'lmdb-flushed': { least: 5 }, sqlite: { least: 5 }, redis: { least: 100 }, 'redis-always': { least: 100 }, files: { least: 100 } }
  },
  {
    group: 'get',
    name: 'get-64',
    title: '`Session.get`, 64 in flight',
    width: 64,
    goals: { ...all, lmdb: { least: 4 }, 'lmdb-flushed': { least: 4 } }
  },
  {
    group: 'patch',
    name: 'patch-alone',
    title: '`ResetSessionKey.patch`, one at a time',
    slice: 1,
    goals: { 'lmdb-flushed': { least: 1.3 }, 'redis-always': { least: 2.5 }, limit: { most: 1.3 } }
  },
  {
    group: 'patch',
    name: 'patch-64',
    title: '`ResetSessionKey.patch`, 64 in flight',
    width: 64,
    goals: { 'lmdb-flushed': { least: 1.5 }, sqlite: { least: 8 }, 'redis-always': { least: 4 } }
  },
  { group: 'read', name: 'read-64', title: '`dashboard.Storage.read`, 64 in flight', width: 64, goals: all },
  { group: 'write', name: 'write-64', title: '`dashboard.Storage.write`, 64 in flight', width: 64, goals: { ...durable, files: ahead } },
  { group: 'sign-in', name: 'sign-in-alone', title: 'Sign-in without bcrypt, one at a time', slice: 1, goals: durable },
  { group: 'sign-in', name: 'sign-in-64', title: 'Sign-in without bcrypt, 64 in flight', width: 64, goals: durable }
]

module.exports = {
  groups: [...new Set(measurements.map(({ group }) => group))],
  steps: (context) => context.names.length * (2 + chosen(context).length * context.rounds),
  run
}

function chosen ({ groups }) {
  return measurements.filter(({ group }) => groups.includes(group))
}

async function run (context) {
  const processes = await context.openAll(context.names)
  const limit = await LimitProcess.open(context)
  const results = []
  for (const measurement of chosen(context)) {
    const runners = [...processes, ...(measurement.goals.limit && limit ? [limit] : [])]
    results.push({ measurement, rounds: await measureRounds(context, measurement, runners) })
  }
  const failures = {}
  for (const one of processes) {
    context.step(`${one.store.title}: is it consistent`)
    failures[one.name] = await one.check()
    await one.remove()
  }
  return results.map((result) => makeTable(context, result, failures))
}

// The results of each runner, round by round.
async function measureRounds (context, { group, title, width, slice }, runners) {
  const rounds = Object.fromEntries(runners.map(({ name }) => [name, []]))
  for (let round = 0; round < context.rounds; round++) {
    for (const runner of runners) {
      context.step(`${title}: ${runner.store.title}`)
      const args = { work: group, width, slice }
      await runner.ask('measure', { ...args, milliseconds: context.milliseconds * warmUp })
      const { microseconds, perSecond } = await runner.ask('measure', { ...args, milliseconds: context.milliseconds })
      rounds[runner.name].push(microseconds || perSecond)
    }
  }
  return rounds
}

function makeTable (context, { measurement, rounds }, failures) {
  const { name, title, width, goals } = measurement
  const own = rounds[ours]
  const rows = Object.entries(rounds).map(([store, values]) => {
    const goal = goals[store]
    const row = {
      store,
      title: store === 'limit' ? LimitProcess.title : stores[store].title,
      durable: store === 'limit' || stores[store].durable,
      median: median(values),
      lowest: Math.min(...values),
      highest: Math.max(...values),
      consistent: store === 'limit' ? undefined : !failures[store].length,
      failures: failures[store]
    }
    if (store !== ours && own) {
      // How many times as fast ours is, of the medians.
      row.times = width ? median(own) / row.median : row.median / median(own)
      row.goal = goal && (goal.least ? `at least ${goal.least}` : `at most ${goal.most} times the limit`)
      row.reached = goal && (goal.least ? row.times >= goal.least : 1 / row.times <= goal.most)
    }
    return row
  })
  return { name, title, kind: 'stores', unit: width ? 'per second' : 'µs, median', higherIsBetter: Boolean(width), rows }
}
