// One value of 64 MiB: how much memory it takes to write it, and how long small writes wait beside it.
const { measureRounds } = require('./compare.js')
const { goalFor } = require('./goals.js')
const { loadStores, startUsing } = require('./load.js')
const { median } = require('./measure.js')
const { ours, stores } = require('./stores.js')

const group = 'large'
const compared = [ours, 'sqlite', 'lmdb-flushed', 'level']
const bytes = 64 << 20
const sessions = 3000
const mostTimesItsSize = 3
const mostMilliseconds = 50

module.exports = { groups: [group], run, steps: (context) => namesIn(context).length * (1 + context.rounds) }

function namesIn ({ names }) {
  return compared.filter((name) => names.includes(name))
}

async function run (context) {
  const names = namesIn(context)
  const runners = await loadStores(context, names, sessions)
  const { rounds, failures } = await measureRounds(context, 'large', runners, (one) => startUsing(one, () => one.ask('large', { bytes })))
  await Promise.all(runners.map((one) => one.remove()))
  const rows = names.map((store) => {
    const row = { store, title: stores[store].title }
    const all = rounds[store] || []
    if (!all.length) {
      return { ...row, missing: context.unavailable[store] || failures[store] }
    }
    for (const figure of ['milliseconds', 'longest', 'writes', 'timesItsSize']) {
      row[figure] = median(all.map((round) => round[figure]))
    }
    row.problems = failures[store] && [failures[store]]
    row.goals = store === ours
      ? [
          { ...goalFor('memory', { most: mostTimesItsSize }, row.timesItsSize), unit: ' times its size' },
          { ...goalFor('small writes', { most: mostMilliseconds }, row.longest), unit: ' ms' }
        ]
      : []
    return row
  })
  return [{ kind: 'large', name: group, title: 'One value of 64 MiB, and small writes beside it, one at a time', rows }]
}
