// The same work on every store.
const path = require('path')
const { makeTable, measureRounds } = require('./compare.js')
const { LimitProcess } = require('./limit.js')

const warmUp = 0.25
const ahead = { least: 1 }
const durable = { sqlite: ahead, 'lmdb-flushed': ahead, level: ahead, 'redis-always': ahead }
const all = { ...durable, lmdb: ahead, redis: ahead, files: ahead }

// The measurements: `width` calls in flight, or one at a time, with times taken of `slice` of them together. The goals
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
  const hasLimit = context.hasLimit && !context.unavailable.limit && context.groups.includes('patch')
  const limits = hasLimit ? [await LimitProcess.open(path.join(context.folder, 'limit'))] : []
  const results = []
  for (const measurement of chosen(context)) {
    const { group, title, width, slice } = measurement
    const runners = [...processes, ...(group === 'patch' ? limits : [])]
    const ask = (runner, milliseconds) => runner.ask('measure', { work: group, width, slice, milliseconds })
    results.push(await measureRounds(context, title, runners, async (runner) => {
      await ask(runner, context.milliseconds * warmUp)
      const { microseconds, perSecond } = await ask(runner, context.milliseconds)
      return width ? perSecond : microseconds
    }))
  }
  const problems = {}
  for (const one of processes) {
    context.step(`${one.store.title}: is it consistent`)
    problems[one.name] = await one.check()
    await one.remove()
  }
  return chosen(context).map((measurement, i) => {
    const { group, width } = measurement
    const names = [...context.names, ...(group === 'patch' && context.hasLimit ? ['limit'] : [])]
    const table = { ...measurement, unit: width ? 'per second' : 'µs', higherIsBetter: Boolean(width) }
    return makeTable(context, table, names, results[i], problems)
  })
}
