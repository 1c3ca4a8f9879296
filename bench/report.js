// The tables as Markdown, which people can read in a terminal too.

module.exports = { describeMachine, makeReport, number }

const columnsOf = {
  failed: () => [text('', (row) => row.title)],
  stores: ({ unit }) => [
    text('store', (row) => row.title),
    text('durable', (row) => row.durable ? 'yes' : 'no'),
    figure(unit, (row) => row.missing ? 'not run, see below' : number(row.median)),
    figure('lowest to highest', (row) => row.missing ? '' : `${number(row.lowest)} to ${number(row.highest)}`),
    figure('ours is', (row) => row.times ? `${number(row.times)} times as fast` : ''),
    text('goal', (row) => row.goal ? `${describeGoal(row.goal)}: ${verdict(row)}` : ''),
    text('consistent', (row) => row.consistent === undefined ? '' : row.consistent ? 'yes' : 'NO, see below')
  ],
  growth: () => [
    figure('sessions', (row) => row.sessions.toLocaleString('en')),
    text('', (row) => row.churned ? 'a third replaced' : 'as loaded'),
    figure('get, µs', (row) => number(row.get)),
    figure('gets per second', (row) => number(row.gets)),
    figure('patch, µs', (row) => number(row.patch)),
    figure('patches per second', (row) => number(row.patches)),
    figure('opens after a stop, ms', (row) => number(row.openMilliseconds)),
    figure('after a kill, ms', (row) => number(row.openAfterKillMilliseconds)),
    figure('more resident than empty, MB', (row) => number(row.residentBytes / 1e6)),
    figure('bytes on disk for each session', (row) => number(row.bytesPerSession))
  ],
  lists: () => [
    text('', (row) => row.title),
    figure('short list, µs', (row) => number(row.base)),
    figure('long list, µs', (row) => number(row.longest)),
    figure('times', (row) => number(row.times)),
    text('goal', (row) => `at most ${row.goal.most}: ${verdict(row)}`)
  ],
  delays: () => [
    text('store', (row) => row.title),
    figure('gets per second', (row) => row.missing ? 'not run, see below' : number(row.perSecond)),
    ...[['50 %, ms', 'p50'], ['99 %', 'p99'], ['99.9 %', 'p999'], ['longest of all', 'max']]
      .map(([title, name]) => figure(title, (row) => row.missing ? '' : number(row[name]))),
    text('goal', (row) => row.goal ? `99.9 % under ${row.goal.most} ms: ${verdict(row)}` : '')
  ]
}

async function makeReport ({ machine, rounds, milliseconds, sessions, versions, tables }) {
  const { markdownTable } = await import('markdown-table')
  const settings = Object.values(versions).map(({ title, version, settings }) => `${title} ${version}: ${settings}`)
  const parts = [[
    describeMachine(machine),
    `medians of ${rounds} rounds of ${milliseconds} ms, ${sessions.toLocaleString('en')} sessions where nothing else is said`,
    ...settings
  ].map((line) => `- ${line}`).join('\n')]
  for (const table of tables) {
    const columns = columnsOf[table.kind](table)
    const rows = [columns.map(({ title }) => title), ...table.rows.map((row) => columns.map(({ show }) => show(row)))]
    parts.push(`### ${table.title}`, markdownTable(rows, { align: columns.map(({ align }) => align) }))
    parts.push(...table.rows.flatMap(notes))
  }
  return parts.join('\n\n')
}

function notes ({ title, problems = [], missing }) {
  return [...problems, ...missing ? [missing] : []].map((note) => `${title}: ${note}`)
}

function describeMachine ({ processor, cores, memory, system, fileSystem, node }) {
  return `${processor}, ${cores} cores, ${memory}, ${system}, ${fileSystem}, Node ${node}`
}

function text (title, show) {
  return { title, show, align: 'l' }
}

function figure (title, show) {
  return { title, show, align: 'r' }
}

function describeGoal ({ least, most }) {
  return most ? `at most ${most} times the limit` : least === 1 ? 'ahead' : `at least ${least}`
}

function verdict ({ reached }) {
  return reached ? 'reached' : 'MISSED'
}

// Three digits that count.
function number (value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
