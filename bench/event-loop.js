// How long the event loop is held up by reads of what is not in memory.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { ours, stores } = require('./stores.js')

const group = 'event-loop'
const cacheMegabytes = 4
const width = 64
const mostMilliseconds = 5
const loaders = 1024
const calmMilliseconds = 3000

module.exports = { groups: [group], run, steps: () => 4 }

async function run (context) {
  const rows = []
  let isCold = true
  context.step('event loop: loads')
  for (const name of [ours, 'lmdb'].filter((name) => context.names.includes(name))) {
    if (context.unavailable[name]) {
      rows.push({ store: name, title: stores[name].title, missing: context.unavailable[name] })
      continue
    }
    const one = await prepare(context, name)
    const idle = name === ours && await one.ask('delay', { milliseconds: 1000 })
    context.step(`event loop: ${one.store.title}`)
    isCold = dropPages(one.data) && isCold
    const busy = await one.ask('delay', { width, milliseconds: context.milliseconds * 6 })
    await one.remove()
    if (idle) {
      rows.push({ store: 'idle', title: 'nothing to do', ...idle })
    }
    const isOurs = name === ours
    rows.push({ store: name, title: one.store.title, ...busy, goal: isOurs ? { most: mostMilliseconds } : undefined, reached: isOurs ? busy.p999 < mostMilliseconds : undefined })
  }
  const pages = isCold ? 'none of them in the page cache of the system' : 'the page cache of the system could not be emptied'
  const title = `Delay of the event loop, ${context.growth.toLocaleString('en')} sessions, SLED_CACHE_MB=${cacheMegabytes}, 64 \`Session.get\` in flight; ${pages}`
  return [{ kind: 'delays', name: group, title, rows }]
}

// A store that holds the sessions, just opened, so that it has next to nothing in memory.
async function prepare (context, name) {
  const grown = name === ours && context.grown
  const one = context.make(name, { SLED_CACHE_MB: String(cacheMegabytes) }, grown?.folder)
  if (!grown) {
    await one.start()
    await one.load(context.growth, { loaders })
    await one.stop()
  }
  await one.start()
  await calm()
  await one.ask('use', { sessions: context.growth, first: grown?.first })
  return one
}

// What the system still has to do for the parts before would hold everybody up.
async function calm () {
  spawnSync('sync')
  await sleep(calmMilliseconds)
}

// Whether the system has let go of what it kept of the store's files; GNU's dd can ask it to.
function dropPages (folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).every((entry) => {
    const file = path.join(entry.parentPath, entry.name)
    return spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']).status === 0
  })
}
