// `Session.get` of as many sessions as a Dashboard that has grown has, in three states of memory, with default settings.
const fs = require('fs')
const { measureRounds } = require('./compare.js')
const data = require('./data.js')
const { diskBytes, dropPages, filesIn, readPages } = require('./files.js')
const { goalFor } = require('./goals.js')
const { loadStores, startUsing } = require('./load.js')
const { median } = require('./measure.js')
const { ours, stores } = require('./stores.js')

const group = 'sizes'
const compared = [ours, 'lmdb', 'sqlite', 'node-sqlite', 'level']
const width = 64
const fewSessions = 100
const warmUpCalls = 20000
// Fifteen processes in each round leave less time for each.
const partOfTurn = 2 / 3
const mostHot = 200000
// Reading brings sessions into memory, so each measurement has a part of them to itself.
const parts = 4
const states = {
  hot: 'each was read once before',
  warm: 'not in the memory of the process; the files are in the page cache of the system',
  cold: 'not in memory, nor in the page cache of the system'
}
// Least ratios to lmdb: by number of sessions for those in memory, by calls in flight for the others.
const hotGoals = { 20000: 10, 200000: 3, 1000000: 1.5 }
const missGoals = { alone: 1 / 3, inFlight: 1 / 2 }
const mostOfRecords = 1.5
const mostDelayMilliseconds = 1

module.exports = { groups: [group], run, sizesIn, steps: (context) => sizesIn(context).length * (namesIn(context).length * (1 + 2 * context.rounds) + context.rounds) }

// All of them, or those up to the number that was asked for.
function sizesIn ({ growth }) {
  return [...new Set([20000, 200000, 1000000].filter((size) => size * 5 <= growth).concat(growth))]
}

function namesIn ({ names }) {
  return compared.filter((name) => names.includes(name))
}

async function run (context) {
  const rows = []
  const empty = {}
  for (const sessions of sizesIn(context)) {
    const runners = await loadStores(context, namesIn(context), sessions)
    for (const { name } of runners) {
      empty[name] ||= await measureEmpty(context, name)
    }
    const disk = Object.fromEntries(runners.map((one) => [one.name, diskBytes(one.data)]))
    const results = { cold: await measureRounds(context, `sizes, ${count(sessions)}, cold`, withPlain(context, runners), (runner) => measureCold(runner, context)) }
    const { rounds, failures } = await measureRounds(context, `sizes, ${count(sessions)}`, runners, (runner) => measureWarm(runner, context))
    for (const state of ['warm', 'hot']) {
      results[state] = { rounds: Object.fromEntries(Object.entries(rounds).map(([name, all]) => [name, all.map((round) => round[state])])), failures }
    }
    results.warm.rounds.plain = results.cold.rounds.plain?.map(({ warm }) => warm)
    for (const state in states) {
      rows.push(...makeRows(context, state, sessions, results[state], empty, disk))
    }
    await Promise.all(runners.map((one) => one.remove()))
  }
  return Object.entries(states).map(([state, meaning]) => ({
    kind: 'sizes',
    name: `sizes-${state}`,
    title: `\`Session.get\`, ${state}: ${meaning}`,
    state,
    rows: rows.filter((row) => row.state === state)
  }))
}

// A process that has done the same kind of work with next to no sessions: what it takes is not for sessions.
async function measureEmpty (context, name) {
  const one = context.make(name)
  await one.start()
  await one.load(fewSessions)
  await measureBoth(one, context, {}, {})
  const memory = await one.ask('memory')
  await one.remove()
  return memory
}

// Node's own delay while it reads blocks of the files of a store beside it.
function withPlain (context, runners) {
  if (!runners.length) {
    return runners
  }
  const [{ data: folder, sessions }] = runners
  return [...runners, { name: 'plain', store: { title: 'no store' }, folder, process: Object.assign(context.make('files'), { sessions }) }]
}

// Every round has a new process.
async function measureCold (runner, context) {
  if (runner.process) {
    return measurePlain(runner, context)
  }
  return startUsing(runner, () => {
    dropPages(runner.data)
    return measureMisses(runner, context)
  })
}

function measureWarm (runner, context) {
  readPages(runner.data)
  return startUsing(runner, async (openMilliseconds) => {
    const warm = await measureMisses(runner, context)
    await runner.readAll()
    const memory = await runner.ask('memory')
    const hot = { openMilliseconds, ...memory, ...await measureBoth(runner, context, { most: mostHot }, { most: mostHot }) }
    return { warm, hot }
  })
}

// Each measurement begins behind the sessions of the one before.
async function measureMisses (runner, context) {
  const most = Math.floor(runner.sessions / parts)
  const figures = await measureBoth(runner, context, { from: 0, most }, { from: most, most })
  if (runner.name === ours) {
    const { p999 } = await runner.ask('delay', { width, milliseconds: context.milliseconds * 2, from: 2 * most, most })
    figures.delay = p999
  }
  return figures
}

async function measureBoth (runner, context, alone, inFlight) {
  const milliseconds = context.milliseconds * partOfTurn
  const isHot = alone.from === undefined
  if (isHot) {
    await runner.measure({ work: 'get', width, milliseconds, most: warmUpCalls })
  }
  const { microseconds, processor: processorAlone } = await runner.measure({ work: 'get', slice: isHot ? 100 : 1, milliseconds, ...alone })
  const { perSecond, processor: processorInFlight } = await runner.measure({ work: 'get', width, milliseconds, ...inFlight })
  return { alone: microseconds, inFlight: perSecond, processorAlone, processorInFlight }
}

function measurePlain ({ process, folder }, context) {
  const [{ file }] = filesIn(folder).map((file) => ({ file, size: fs.statSync(file).size })).sort((a, b) => b.size - a.size)
  return startUsing(process, async () => {
    const read = () => process.ask('delay', { width, milliseconds: context.milliseconds * 2, file })
    dropPages(folder)
    const { p999: delay } = await read()
    readPages(folder)
    const { p999 } = await read()
    return { delay, warm: { delay: p999 } }
  })
}

function makeRows (context, state, sessions, { rounds, failures }, empty, disk) {
  const medians = (name) => rounds[name]?.length && Object.fromEntries(Object.keys(rounds[name][0])
    .map((figure) => [figure, median(rounds[name].map((round) => round[figure]))]))
  const own = medians(ours)
  const plain = state !== 'hot' && medians('plain')
  const rows = namesIn(context).map((name) => {
    const row = { state, sessions, store: name, title: stores[name].title, recordBytes: data.bytesOfRecords(sessions) }
    const figures = medians(name)
    if (!figures) {
      return { ...row, missing: context.unavailable[name] || failures[name] }
    }
    Object.assign(row, figures, { problems: failures[name] && [failures[name]] })
    if (state === 'hot') {
      row.residentBytes = figures.resident - empty[name].resident
      row.mappedBytes = figures.mapped - empty[name].mapped
      row.diskBytes = disk[name]
    }
    if (name !== ours && own) {
      row.times = { alone: figures.alone / own.alone, inFlight: own.inFlight / figures.inFlight }
    }
    return { ...row, goals: goalsOf(state, row, plain) }
  })
  return plain ? [...rows, { state, sessions, store: 'plain', title: 'no store: `fs.read` of 4 KB', isPlain: true, delay: plain.delay }] : rows
}

function goalsOf (state, { store, sessions, times, delay, residentBytes, recordBytes }, plain) {
  const goals = []
  const least = (figure) => state === 'hot' ? hotGoals[sessions] : missGoals[figure]
  if (store === 'lmdb' && times) {
    goals.push(...Object.keys(times).filter(least).map((figure) => goalFor(`${figure}, ${count(sessions)}`, { least: least(figure) }, times[figure])))
  }
  if (store === ours && plain) {
    goals.push({ ...goalFor(`event loop, ${count(sessions)}`, { most: plain.delay + mostDelayMilliseconds }, delay), unit: ' ms' })
  }
  if (store === ours && state === 'hot') {
    goals.push({ ...goalFor(`memory, ${count(sessions)}`, { most: mostOfRecords }, residentBytes / recordBytes), unit: ' times the bytes of the records' })
  }
  return goals
}

function count (number) {
  return number.toLocaleString('en')
}
