// Measures times and sizes as the number of sessions grows, and pages of the list of all sessions.
const fs = require('fs')
const { accountsFor, appid } = require('./data.js')
const { diskBytes } = require('./files.js')
const { goalFor } = require('./goals.js')
const { ours } = require('./stores.js')

// Many calls at a time, since what is asked is not how fast it loads.
const loaders = 1024
// By number of sessions, and for the memory what it took before the cache was made to hold more in less.
const openGoals = { 1000000: 500, 10000000: 5000 }
const memoryGoals = { 1000000: 356 }
const pageGoals = { first: 2, middle: 10, count: 2 }

module.exports = { groups: ['growth', 'lists'], run, steps: (context) => sizes(context).length * 4 }

function sizes ({ growth }) {
  return [...new Set([1000, 100000, 1000000].filter((size) => size * 10 <= growth).concat(growth))]
}

async function run (context) {
  const rows = []
  const pages = []
  for (const sessions of sizes(context)) {
    const one = context.make(ours)
    context.step(`growth: loads ${count(sessions)} sessions`)
    await one.start()
    const { resident: empty } = await one.ask('memory')
    await one.load(sessions, { lists: true, loaders })
    context.step(`growth: ${count(sessions)} sessions`)
    rows.push(makeRow(sessions, false, await measureSize(context, one, empty)))
    context.step(`growth: pages of a list of ${count(sessions)}`)
    pages.push({ items: sessions, ...await measurePages(context, one) })
    context.step(`growth: deletes and inserts a third of ${count(sessions)} sessions`)
    one.first = await one.ask('churn', { loaders })
    rows.push(makeRow(sessions, true, await measureSize(context, one, empty)))
    await one.stop()
    fs.rmSync(one.folder, { recursive: true })
  }
  const tables = [{ kind: 'growth', name: 'growth', title: 'Growth', rows }, listTable(pages)]
  return tables.filter(({ name }) => context.groups.includes(name))
}

function makeRow (sessions, churned, figures) {
  const goals = [
    ['open', openGoals[sessions], figures.openMilliseconds, ' ms'],
    ['open after a kill', openGoals[sessions], figures.openAfterKillMilliseconds, ' ms'],
    ['memory', memoryGoals[sessions], figures.residentBytes / 1e6, ' MB']
  ].filter(([, most]) => most).map(([figure, most, value, unit]) => ({ ...goalFor(figure, { most }, value), unit }))
  const title = `${count(sessions)}, ${churned ? 'a third replaced' : 'as loaded'}`
  return { title, sessions, churned, ...figures, ...goals.length && { goals } }
}

// Starts it anew twice: after a clean stop, and after a kill in the midst of work.
async function measureSize (context, one, empty) {
  const use = { sessions: one.sessions, first: one.first }
  const milliseconds = context.milliseconds
  const measure = (args) => one.ask('measure', { milliseconds, ...args })
  await one.stop()
  const bytes = diskBytes(one.data)
  const { openMilliseconds } = await one.start()
  await one.ask('use', use)
  await measure({ work: 'get', width: 64 })
  const { microseconds: get } = await measure({ work: 'get', slice: 100 })
  const { perSecond: gets } = await measure({ work: 'get', width: 64 })
  const { microseconds: patch } = await measure({ work: 'patch', slice: 1 })
  const { perSecond: patches } = await measure({ work: 'patch', width: 64 })
  const { resident } = await one.ask('memory')
  await one.killWhilePatching(accountsFor(one.sessions))
  const killed = await one.start()
  await one.ask('use', use)
  return {
    get,
    gets,
    patch,
    patches,
    openMilliseconds,
    openAfterKillMilliseconds: killed.openMilliseconds,
    residentBytes: resident - empty,
    bytesPerSession: bytes / one.sessions
  }
}

async function measurePages (context, one) {
  const list = `${appid}/sessions`
  const measure = async (work, offset) => {
    const args = { list, offset }
    await one.ask('measure', { work, slice: 10, milliseconds: context.milliseconds / 4, args })
    return (await one.ask('measure', { work, slice: 10, milliseconds: context.milliseconds, args })).microseconds
  }
  return { first: await measure('page', 0), middle: await measure('page', one.sessions / 2), count: await measure('count') }
}

// Against the same list when it is shortest; the page in its middle against its first page then.
function listTable (pages) {
  const [shortest] = pages
  const longest = pages.at(-1)
  const rows = [
    ['first page', 'first', shortest.first],
    ['page in the middle', 'middle', shortest.first],
    ['count', 'count', shortest.count]
  ].map(([title, name, base]) => {
    const times = longest[name] / base
    return { title, base, longest: longest[name], times, goal: { most: pageGoals[name] }, reached: times <= pageGoals[name] }
  })
  return { kind: 'lists', name: 'lists', title: `A list of ${count(longest.items)} items against one of ${count(shortest.items)}, by \`dashboard.StorageList\``, pages, rows }
}

function count (number) {
  return number.toLocaleString('en')
}
