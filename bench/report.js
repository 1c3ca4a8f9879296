// The tables as Markdown, which people can read in a terminal too.

module.exports = { makeReport }

async function makeReport (results) {
  const { markdownTable } = await import('markdown-table')
  const parts = [describe(results)]
  for (const table of results.tables) {
    const columns = table.kind === 'stores' ? storeColumns(table) : table.columns
    const rows = table.rows.map((row) => columns.map(({ show }) => show(row)))
    const align = columns.map(({ numbers }) => numbers ? 'r' : 'l')
    parts.push(`### ${table.title}`, markdownTable([columns.map(({ title }) => title), ...rows], { align }), ...notes(table))
  }
  return parts.join('\n\n')
}

function describe ({ machine, rounds, versions }) {
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, ${machine.fileSystem}, Node ${machine.node}`,
    `medians of ${rounds} rounds`,
    ...Object.values(versions).map(({ title, version, settings }) => `${title} ${version}: ${settings}`)
  ].map((line) => `- ${line}`).join('\n')
}

function storeColumns ({ unit }) {
  return [
    { title: 'store', show: (row) => row.title },
    { title: 'durable', show: (row) => row.durable ? 'yes' : 'no' },
    { title: unit, numbers: true, show: (row) => row.missing ? `not run: ${row.missing}` : number(row.median) },
    { title: 'lowest to highest', numbers: true, show: (row) => row.missing ? '' : `${number(row.lowest)} to ${number(row.highest)}` },
    { title: 'ours is', numbers: true, show: (row) => row.times ? `${number(row.times)} times as fast` : '' },
    { title: 'goal', show: (row) => row.goal ? `${describeGoal(row.goal)}: ${row.reached ? 'reached' : 'MISSED'}` : '' },
    { title: 'consistent', show: (row) => row.consistent === undefined ? '' : row.consistent ? 'yes' : 'NO, see below' }
  ]
}

function describeGoal ({ least, most }) {
  return most ? `at most ${most} times the limit` : least === 1 ? 'ahead' : `at least ${least}`
}

function notes ({ rows }) {
  return rows.flatMap(({ title, problems = [] }) => problems.map((problem) => `${title}: ${problem}`))
}

// Three digits that count.
function number (value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
