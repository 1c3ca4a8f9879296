// The same work on every store in turn, round after round, so that what the machine does meanwhile strikes all of them.
const path = require('path')
const { makePlain } = require('./install.js')
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
  const results = []
  for (const measurement of chosen(context)) {
    const runners = [...processes]
    if (measurement.group === 'patch' && !context.unavailable.limit) {
      runners.push(...await openLimit(context))
    }
    results.push({ measurement, ...await measureRounds(context, measurement, runners) })
  }
  const problems = {}
  for (const one of processes) {
    context.step(`${one.store.title}: is it consistent`)
    problems[one.name] = (await one.check()).map((problem) => makePlain({ message: problem }))
    await one.remove()
  }
  return results.map((result) => makeTable(context, result, problems))
}

async function openLimit (context) {
  if (!context.names.includes(ours) || context.names.length === 1) {
    return []
  }
  try {
    return [await LimitProcess.open(path.join(context.folder, 'limit'))]
  } catch (error) {
    context.unavailable.limit = makePlain(error)
    return []
  }
}

// The results of each runner, round by round; and what went wrong, by runner.
async function measureRounds (context, { group, title, width, slice }, runners) {
  const rounds = Object.fromEntries(runners.map(({ name }) => [name, []]))
  const failures = {}
  for (let round = 0; round < context.rounds; round++) {
    for (const runner of runners) {
      context.step(`${title}: ${runner.store.title}`)
      const args = { work: group, width, slice }
      try {
        await runner.ask('measure', { ...args, milliseconds: context.milliseconds * warmUp })
        const { microseconds, perSecond } = await runner.ask('measure', { ...args, milliseconds: context.milliseconds })
        rounds[runner.name].push(microseconds || perSecond)
      } catch (error) {
        failures[runner.name] = makePlain(error)
      }
    }
  }
  return { rounds, failures }
}

function makeTable (context, { measurement, rounds, failures }, problems) {
  const { name, title, width, goals } = measurement
  const titleOf = (store) => store === 'limit' ? LimitProcess.title : stores[store].title
  const own = rounds[ours]?.length && median(rounds[ours])
  const rows = Object.entries(rounds).map(([store, values]) => {
    const row = { store, title: titleOf(store), durable: store === 'limit' || stores[store].durable }
    const found = [...problems[store] || [], ...failures[store] ? [`failed: ${failures[store]}`] : []]
    if (store !== 'limit') {
      Object.assign(row, { consistent: !found.length, problems: found })
    }
    if (!values.length) {
      return { ...row, missing: failures[store] }
    }
    Object.assign(row, { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) })
    if (store !== ours && own) {
      // How many times as fast ours is, of the medians.
      row.times = width ? own / row.median : row.median / own
      row.goal = goals[store]
      row.reached = row.goal && (row.goal.least ? row.times >= row.goal.least : 1 / row.times <= row.goal.most)
    }
    return row
  })
  const missing = Object.entries(context.unavailable)
    .filter(([store]) => !rounds[store] && (store !== 'limit' || goals.limit))
    .map(([store, reason]) => ({ store, title: titleOf(store), durable: store === 'limit' || stores[store].durable, missing: reason }))
  return { name, title, kind: 'stores', unit: width ? 'per second' : 'µs, median', higherIsBetter: Boolean(width), rows: [...rows, ...missing] }
}
