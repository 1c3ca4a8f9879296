// Rounds in which each store has its turn, so that what the machine does meanwhile strikes all of them; and their table.
const { makePlain } = require('./install.js')
const { median } = require('./measure.js')
const { limit, ours, stores } = require('./stores.js')

module.exports = { makeTable, measureRounds }

// `measure` resolves to the figures of a runner. What goes wrong is kept, by runner, and the others go on.
async function measureRounds (context, title, runners, measure) {
  const rounds = Object.fromEntries(runners.map(({ name }) => [name, []]))
  const failures = {}
  for (let round = 0; round < context.rounds; round++) {
    for (const runner of runners) {
      context.step(`${title}: ${runner.store.title}`)
      try {
        rounds[runner.name].push(await measure(runner))
      } catch (error) {
        failures[runner.name] = `failed: ${makePlain(error)}`
      }
    }
  }
  return { rounds, failures }
}

// A row for each store that was measured, and one for each of `names` that could not be. `problems`: by store, what its
// consistency check has found.
function makeTable (context, { name, title, unit, higherIsBetter, goals = {} }, names, { rounds, failures }, problems) {
  const own = rounds[ours]?.length ? median(rounds[ours].map(({ value }) => value)) : undefined
  const rows = names.map((store) => {
    const { title, durable } = store === 'limit' ? limit : stores[store]
    const row = { store, title, durable }
    const values = (rounds[store] || []).map(({ value }) => value)
    const found = [...problems[store] || [], ...failures[store] ? [failures[store]] : []]
    if (store !== 'limit' && rounds[store]) {
      Object.assign(row, { consistent: !found.length, problems: found })
    }
    if (!values.length) {
      return { ...row, missing: context.unavailable[store] || failures[store] }
    }
    Object.assign(row, { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) })
    row.processor = median(rounds[store].map(({ processor }) => processor))
    if (store !== ours && own) {
      // Ratio of the medians: over 1 if this store is faster.
      row.times = higherIsBetter ? own / row.median : row.median / own
      row.goal = goals[store]
      row.reached = row.goal && (row.goal.least ? row.times >= row.goal.least : 1 / row.times <= row.goal.most)
    }
    return row
  })
  return { kind: 'stores', name, title, unit, higherIsBetter, rows }
}
