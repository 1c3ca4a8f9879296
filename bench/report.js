// The tables as Markdown, which people can read in a terminal too.
const { describeGoal, findGoals, verdict } = require('./goals.js')
const { ours } = require('./stores.js')

module.exports = { describeMachine, makeReport, number }

// Figures that have goals, in words.
const names = { alone: 'one at a time', inFlight: '64 in flight', perSecond: 'calls per second', p50: '50 %', p99: '99 %', p999: '99.9 %' }

const columnsOf = {
  failed: () => [text('', (row) => row.title)],
  stores: ({ unit }) => [
    text('store', (row) => row.title),
    text('durable', (row) => row.durable ? 'yes' : 'no'),
    figure(unit, (row) => row.missing ? 'not run, see below' : number(row.median)),
    figure('lowest to highest', (row) => row.missing ? '' : `${number(row.lowest)} to ${number(row.highest)}`),
    figure('processor, µs a call', (row) => row.processor ? number(row.processor) : ''),
    figure('ours is', (row) => row.times ? `${number(row.times)} times as fast` : ''),
    text('goal', (row) => row.goal ? `${describeGoal({ unit: row.goal.most && ' times the limit', ...row.goal })}: ${verdict(row)}` : ''),
    text('consistent', (row) => row.consistent === undefined ? '' : row.consistent ? 'yes' : 'NO, see below')
  ],
  sizes: () => [
    figure('sessions', (row) => row.sessions.toLocaleString('en')),
    text('store', (row) => row.title),
    ...['alone', 'inFlight'].flatMap((name) => [
      figure(name === 'alone' ? 'alone, µs' : '64 in flight, per second', (row) => row.missing ? 'not run, see below' : shown(row[name])),
      figure('ours is', (row) => row.times ? `${number(row.times[name])} ×` : '')
    ]),
    figure('processor, µs a call, alone', (row) => shown(row.processorAlone)),
    figure('64 in flight', (row) => shown(row.processorInFlight)),
    figure('event loop, 99.9 %, ms', (row) => row.delay ? number(row.delay) : ''),
    figure('more resident than with 100 sessions, MB', (row) => row.residentBytes === undefined ? '' : number(row.residentBytes / 1e6)),
    figure('of it pages of files', (row) => row.mappedBytes === undefined ? '' : number(row.mappedBytes / 1e6)),
    figure('bytes of the records, MB', (row) => row.residentBytes === undefined ? '' : number(row.recordBytes / 1e6)),
    text('goals', describeGoals)
  ],
  latencies: () => [
    text('store', (row) => row.title),
    ...[['50 %, µs', 'p50'], ['99 %, µs', 'p99'], ['99.9 %, µs', 'p999'], ['per second', 'perSecond']].flatMap(([title, name]) => [
      figure(title, (row) => row.missing ? 'not run, see below' : shown(row[name])),
      figure('ours is', (row) => row.times ? `${number(row.times[name])} ×` : '')
    ]),
    figure('processor, µs a call', (row) => shown(row.processor)),
    figure('calls in a round', (row) => shown(row.calls, true)),
    text('goals', describeGoals)
  ],
  large: () => [
    text('store', (row) => row.title),
    figure('written in, ms', (row) => row.missing ? 'not run, see below' : shown(row.milliseconds)),
    figure('more memory meanwhile, times its size', (row) => shown(row.timesItsSize)),
    figure('small writes meanwhile', (row) => shown(row.writes, true)),
    figure('the longest of them, ms', (row) => shown(row.longest)),
    text('goals', describeGoals)
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
    figure('bytes on disk for each session', (row) => number(row.bytesPerSession)),
    text('goals', describeGoals)
  ],
  lists: () => [
    text('', (row) => row.title),
    figure('short list, µs', (row) => number(row.base)),
    figure('long list, µs', (row) => number(row.longest)),
    figure('times', (row) => number(row.times)),
    text('goal', (row) => `at most ${row.goal.most}: ${verdict(row)}`)
  ]
}

async function makeReport ({ machine, minutes, minutesOf, rounds, milliseconds, sessions, versions, tables }) {
  const { markdownTable } = await import('markdown-table')
  const settings = Object.values(versions).map(({ title, version, settings }) => `${title} ${version}: ${settings}`)
  const parts = [[
    describeMachine(machine),
    `medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${milliseconds} ms, ${sessions.toLocaleString('en')} sessions where nothing else is said; the run took ${number(minutes)} minutes (${Object.entries(minutesOf).map(([part, minutes]) => `${part}: ${number(minutes)}`).join('; ')})`,
    ...settings
  ].map((line) => `- ${line}`).join('\n')]
  parts.push(...reportGoals(tables))
  for (const { title, cells } of reportMachines(tables)) {
    parts.push(`### ${title}`, markdownTable(cells, { align: cells[0].map(() => 'r') }))
  }
  for (const table of tables) {
    // A column without a figure is left out.
    const columns = columnsOf[table.kind](table).filter(({ show }) => table.rows.some((row) => show(row) !== ''))
    const rows = [columns.map(({ title }) => title), ...table.rows.map((row) => columns.map(({ show }) => show(row)))]
    parts.push(`### ${table.title}`, markdownTable(rows, { align: columns.map(({ align }) => align) }))
    parts.push(...table.rows.flatMap(notes))
  }
  return parts.join('\n\n')
}

// Figures of this store that an operator needs, by number of sessions.
function reportMachines (tables) {
  const of = (state) => tables.find(({ name }) => name === `sizes-${state}`)?.rows.filter(({ store, missing }) => store === ours && !missing)
  const [hot, warm, cold] = ['hot', 'warm', 'cold'].map(of)
  if (!hot?.length) {
    return []
  }
  const speed = (rows) => hot.map(({ sessions }) => rows.find((row) => row.sessions === sessions))
    .map((row) => row ? `${number(row.alone)} µs, ${number(row.inFlight)}/s` : '')
  const speeds = [hot, warm, cold].map(speed)
  const rows = hot.map((row, i) => [
    row.sessions.toLocaleString('en'),
    number(row.resident / 1e6),
    number(row.diskBytes / 1e6),
    number(row.openMilliseconds),
    ...speeds.map((cells) => cells[i])
  ])
  const columns = ['sessions', 'memory of the process, MB', 'disk, MB', 'opens in, ms', 'hot: one at a time, 64 in flight', 'warm', 'cold']
  return [{ title: 'What to expect by number of sessions: `Session.get`, default settings', cells: [columns, ...rows] }]
}

// Counts them, and lists those that are not reached.
function reportGoals (tables) {
  const goals = findGoals(tables)
  const missed = goals.filter(({ reached }) => !reached)
  if (!goals.length) {
    return []
  }
  const list = missed.map(({ table, row, figure, value, ...goal }) =>
    `- ${table}: ${row}${figure ? `, ${inWords(figure)}` : ''}: ${number(value)}, goal: ${describeGoal(goal)}`)
  return ['### Goals', `${goals.length - missed.length} of ${goals.length} reached${missed.length ? '; not reached:' : '.'}`, ...list.length ? [list.join('\n')] : []]
}

function notes ({ title, problems = [], missing }) {
  return [...problems, ...missing ? [missing] : []].map((note) => `${title}: ${note}`)
}

function describeMachine ({ processor, cores, memory, system, fileSystem, node }) {
  return `${processor}, ${cores} cores, ${memory}, ${system}, ${fileSystem}, Node ${node}`
}

function describeGoals ({ goals = [] }) {
  return goals.map((goal) => `${inWords(goal.figure).split(', ')[0]} ${describeGoal(goal)}: ${verdict(goal)}`).join('; ')
}

function inWords (figure) {
  const [name, ...rest] = figure.split(', ')
  return [names[name] || name, ...rest].join(', ')
}

// Nothing for what could not be measured.
function shown (value, isCount) {
  return Number.isFinite(value) ? isCount ? Math.round(value).toLocaleString('en') : number(value) : ''
}

function text (title, show) {
  return { title, show, align: 'l' }
}

function figure (title, show) {
  return { title, show, align: 'r' }
}

// Three digits that count.
function number (value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
