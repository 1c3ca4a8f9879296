// How long the event loop is held up by reads of what is not in memory.
const { spawnSync } = require('child_process')
const fs = require('fs')
const { setTimeout: sleep } = require('timers/promises')
const { measureRounds } = require('./compare.js')
const { dropPages, filesIn } = require('./files.js')
const { loadStores } = require('./load.js')
const { median } = require('./measure.js')
const { ours, stores } = require('./stores.js')

const group = 'event-loop'
const watched = [ours, 'lmdb']
const cacheMegabytes = 4
const width = 64
const mostMilliseconds = 5
const calmMilliseconds = 3000
const figures = ['perSecond', 'p50', 'p99', 'p999']
// Time that Node and the machine take by themselves.
const plain = { name: 'plain', title: 'no store: `fs.read` of 4 KB' }

module.exports = { groups: [group], run, steps: (context) => 1 + context.rounds * (namesIn(context).length + 1) }

async function run (context) {
  context.step('event loop: loads')
  const names = namesIn(context)
  const runners = []
  for (const name of names.filter((name) => !context.unavailable[name])) {
    const runner = await load(context, name)
    if (runner) {
      runners.push(runner)
    }
  }
  if (runners.length) {
    runners.push(withoutStore(context, runners[0].data))
  }
  await calm()
  let isCold = true
  const measured = await measureRounds(context, 'event loop', runners, async ({ process, use, data, file }) => {
    await process.start()
    try {
      await process.ask('use', use)
      isCold = dropPages(data) && isCold
      return await process.ask('delay', { width, milliseconds: context.milliseconds * 6, file })
    } finally {
      await process.stop()
    }
  })
  await Promise.all(runners.map(({ process }) => process.remove()))
  const shown = [...names.map((name) => [name, stores[name]]), ...runners.length ? [[plain.name, plain]] : []]
  const rows = shown.map(([name, store]) => makeRow(context, name, store, measured))
  const pages = isCold ? 'none of them in the page cache of the system' : 'the page cache of the system could not be emptied'
  const title = `Delay of the event loop, ${context.growth.toLocaleString('en')} sessions, SLED_CACHE_MB=${cacheMegabytes}, 64 \`Session.get\` in flight; ${pages}`
  return [{ kind: 'delays', name: group, title, rows }]
}

function namesIn ({ names }) {
  return watched.filter((name) => names.includes(name))
}

// A store that holds the sessions. Each round opens it anew, so that it has next to nothing in memory.
async function load (context, name) {
  const grown = name === ours && context.grown
  const [loaded] = grown ? [grown] : await loadStores(context, [name], context.growth)
  if (!loaded) {
    return
  }
  const one = context.make(name, { SLED_CACHE_MB: String(cacheMegabytes) }, loaded.folder)
  return { name, store: one.store, process: one, data: one.data, use: { sessions: context.growth, first: grown?.first } }
}

// A Dashboard whose store is asked for nothing: it reads blocks of the largest file in `folder`.
function withoutStore (context, folder) {
  const [file] = filesIn(folder).sort((a, b) => fs.statSync(b).size - fs.statSync(a).size)
  return { name: plain.name, store: plain, process: context.make('files'), data: folder, use: { sessions: 1 }, file }
}

// Medians of the rounds, beside the longest that any of them had.
function makeRow ({ unavailable }, name, { title }, { rounds, failures }) {
  const all = rounds[name] || []
  if (!all.length) {
    return { store: name, title, missing: unavailable[name] || failures[name] }
  }
  const row = { store: name, title, problems: failures[name] && [failures[name]], max: Math.max(...all.map(({ max }) => max)) }
  for (const figure of figures) {
    row[figure] = median(all.map((round) => round[figure]))
  }
  return name === ours ? { ...row, goal: { most: mostMilliseconds }, reached: row.p999 < mostMilliseconds } : row
}

// Work that the system still has to do for earlier parts would slow all stores.
async function calm () {
  spawnSync('sync')
  await sleep(calmMilliseconds)
}
