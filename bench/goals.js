// Goals for figures: which there are, and whether they are reached.

module.exports = { describeGoal, findGoals, goalFor, verdict }

// `least` or `most` bounds the value; a bound of 1 is met only on its right side.
function goalFor (figure, { least, most }, value) {
  const reached = least === undefined ? value <= most : least === 1 ? value > 1 : value >= least
  return { figure, least, most, value, reached }
}

function describeGoal ({ least, most, unit = '' }) {
  return least === 1 ? 'ahead' : least === undefined ? `at most ${bound(most)}${unit}` : `at least ${bound(least)}${unit}`
}

function verdict ({ reached }) {
  return reached ? 'reached' : 'NOT reached'
}

// All goals of all tables, with where they are.
function findGoals (tables) {
  return tables.flatMap(({ title, rows }) => rows.flatMap((row) => {
    const goals = row.goals || (row.goal ? [{ ...row.goal, reached: row.reached, value: row.times }] : [])
    return goals.map((goal) => ({ table: title, row: row.title, ...goal }))
  }))
}

function bound (number) {
  return Number(number.toPrecision(3)).toLocaleString('en')
}
