// The same work on every store.
const path = require('path')
const { makeTable, measureRounds } = require('./compare.js')
const { makePlain } = require('./install.js')
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
    goals: { sqlite: { least: 1.5 }, 'lmdb-flushed': { least: 1.3 }, 'redis-always': { least: 2.5 }, limit: { most: 1.3 } }
  },
  {
    group: 'patch',
    name: 'patch-64',
    title: '`ResetSessionKey.patch`, 64 in flight',
    width: 64,
    goals: { 'lmdb-flushed': { least: 1.5 }, sqlite: { least: 8 }, 'redis-always': { least: 4 } }
  },
  {
    group: 'read',
    name: 'read-64',
    title: '`dashboard.Storage.read`, 64 in flight',
    width: 64,
    goals: { ...all, lmdb: { least: 2 }, 'lmdb-flushed': { least: 2 } }
  },
  {
    group: 'write',
    name: 'write-64',
    title: '`dashboard.Storage.write`, 64 in flight',
    width: 64,
    goals: { ...durable, files: ahead, 'redis-always': { least: 1.5 } }
  },
  {
    group: 'sign-in',
    name: 'sign-in-alone',
    title: 'Sign-in without bcrypt, one at a time',
    slice: 1,
    goals: { level: ahead, sqlite: { least: 1.5 }, 'lmdb-flushed': { least: 1.5 }, 'redis-always': { least: 1.5 } }
  },
  {
    group: 'sign-in',
    name: 'sign-in-64',
    title: 'Sign-in without bcrypt, 64 in flight',
    width: 64,
    goals: { level: ahead, sqlite: { least: 2 }, 'lmdb-flushed': { least: 2 }, 'redis-always': { least: 2 } }
  }
]

module.exports = {
  groups: [...new Set(measurements.map(({ group }) => group))],
  steps: (context) => namesIn(context).length * (2 + context.rounds),
  run
}

function chosen ({ groups }) {
  return measurements.filter(({ group }) => groups.includes(group))
}

// node:sqlite is the same engine as better-sqlite3, so it is measured by `sizes` alone.
function namesIn ({ names }) {
  return names.filter((name) => name !== 'node-sqlite')
}

async function run (context) {
  const processes = await context.openAll(namesIn(context))
  const hasLimit = context.hasLimit && !context.unavailable.limit && context.groups.includes('patch')
  const limits = hasLimit ? [await LimitProcess.open(path.join(context.folder, 'limit'))] : []
  const failures = Object.fromEntries(chosen(context).map(({ name }) => [name, {}]))
  const { rounds, failures: ended } = await measureRounds(context, 'side by side', [...processes, ...limits], async (runner) => {
    await runner.restart()
    const figures = {}
    for (const measurement of chosen(context).filter(({ group }) => group === 'patch' || runner.name !== 'limit')) {
      try {
        figures[measurement.name] = await measureTurn(runner, measurement, context)
      } catch (error) {
        failures[measurement.name][runner.name] = `failed: ${makePlain(error)}`
      }
    }
    return figures
  })
  const problems = {}
  for (const one of processes) {
    context.step(`${one.store.title}: is it consistent`)
    problems[one.name] = await one.check()
    await one.remove()
  }
  return chosen(context).map((measurement) => {
    const { group, name, width } = measurement
    const names = [...namesIn(context), ...(group === 'patch' && context.hasLimit ? ['limit'] : [])]
    const table = { ...measurement, unit: width ? 'per second' : 'µs', higherIsBetter: Boolean(width) }
    const ofName = Object.entries(rounds).map(([store, all]) => [store, all.map((figures) => figures[name]).filter(Boolean)])
    return makeTable(context, table, names, { rounds: Object.fromEntries(ofName), failures: { ...ended, ...failures[name] } }, problems)
  })
}

async function measureTurn (runner, { group, width, slice }, { milliseconds }) {
  const measure = (milliseconds) => runner.measure({ work: group, width, slice, milliseconds })
  await measure(milliseconds * warmUp)
  const { microseconds, perSecond, processor } = await measure(milliseconds)
  return { value: width ? perSecond : microseconds, processor }
}
