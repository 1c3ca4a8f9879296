// The store over the last hour, drawn.
const { now } = require('../host.js')
const { Audit } = require('../sessions/calls.js')
const { current } = require('../sessions/module.js')
const { CAUSES } = require('./audit-texts.js')
const { barRows, lineChart } = require('./chart.js')
const { render } = require('./render.js')
const { clock } = require('./times.js')

const HOUR = 60 * 60
const ROW = 5 * 60
// Pages of the audit that are read for the ends of the last hour.
const ENDS_PAGE = 500
const MOST_PAGES = 6

const COLUMNS = [
  { name: 'commitsPerSecond', title: 'Commits a second', format: shortNumber },
  { name: 'p50', title: 'Sync p50', format: milliseconds },
  { name: 'p99', title: 'Sync p99', format: milliseconds },
  { name: 'hitRate', title: 'Cache hits', format: percent },
  { name: 'signInsPerMinute', title: 'Sign-ins a minute', format: shortNumber },
  { name: 'live', title: 'Live sessions', format: whole },
  { name: 'usedLately', title: 'Used in the last 5 minutes', format: whole },
  { name: 'kept', title: 'Sessions kept', format: whole },
  { name: 'diskBytes', title: 'Size', format: size }
]

module.exports = { get: show }

async function show (req, res) {
  const to = now()
  const from = to - HOUR
  const { ends, isPart } = await readEnds(req.appid, from)
  const view = { ends: drawEnds(ends, from, to), isPart, causes: ends, hasEnds: ends.length > 0 }
  // The numbers of the store are those of all its applications, so they are for the one that runs it.
  if (req.appid !== global.appid) {
    return render(req, res, view)
  }
  const taken = await current().samples.list()
  const samples = taken.filter(({ time }) => time >= from)
  return render(req, res, {
    ...view,
    own: { numbers: [...readNumbers(samples.at(-1)), ...webhookNumbers(await current().webhooks?.status())], charts: drawCharts(samples, from, to), columns: COLUMNS, rows: tableRows(samples, from, to) }
  })
}

function drawCharts (samples, from, to) {
  const line = (label, name) => ({ label, points: samples.map((sample) => [sample.time, sample[name]]) })
  const isCounted = samples.at(-1)?.live !== undefined
  const charts = [
    { id: 'commits', title: 'Commits a second', lines: [line('', 'commitsPerSecond')], format: shortNumber },
    { id: 'syncs', title: 'Time of a sync', lines: [line('p50', 'p50'), line('p99', 'p99')], format: milliseconds },
    { id: 'cache', title: 'Look-ups answered from the cache', lines: [line('', 'hitRate')], format: percent, largest: 1 },
    {
      id: 'sessions',
      title: isCounted ? 'Live sessions, and those used in the last 5 minutes, ended or not' : 'Sessions kept, and those used in the last 5 minutes, live or ended',
      lines: [isCounted ? line('live', 'live') : line('kept', 'kept'), line('used', 'usedLately')],
      format: whole,
      isWhole: true
    },
    { id: 'signins', title: 'Sign-ins a minute', lines: [line('', 'signInsPerMinute')], format: shortNumber },
    { id: 'size', title: 'Size on the disk', lines: [line('', 'diskBytes')], format: size }
  ]
  return charts.map((chart) => ({ title: chart.title, svg: lineChart({ ...chart, from, to }) }))
}

function drawEnds (ends, from, to) {
  return barRows({ id: 'ends', title: 'Ends of the last hour, by cause', rows: ends, from, to })
}

// Of the audit, so they are of all processes, and those before a restart count as well.
async function readEnds (appid, since) {
  const byCause = new Map()
  let cursor
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await Audit.list({ appid, query: { since, limit: ENDS_PAGE, ...(cursor && { cursor }) } })
    for (const { cause, time } of page.entries) {
      const times = byCause.get(cause) || []
      times.push(time)
      byCause.set(cause, times)
    }
    cursor = page.cursor
    if (!cursor) {
      break
    }
  }
  const ends = [...byCause].map(([cause, times]) => ({ label: CAUSES[cause] || cause, times, total: times.length }))
  return { ends: ends.sort((a, b) => b.total - a.total), isPart: cursor && { most: ENDS_PAGE * MOST_PAGES } }
}

function readNumbers (sample = {}) {
  const { waiting, ...shown } = sample
  return [
    ...COLUMNS.map(({ name, title, format }) => ({ title, text: print(shown[name], format) })),
    { title: 'Changes that wait', text: print(waiting, whole) }
  ]
}

// Empty without a webhook.
function webhookNumbers (status) {
  return status
    ? [
        { title: 'Age of the oldest event that waits for the webhook', text: `${whole(status.lag)} s` },
        { title: 'Events that the webhook gave up', text: whole(status.undelivered) }
      ]
    : []
}

// A row for each five minutes, with the average of each column.
function tableRows (samples, from, to) {
  const rows = []
  for (let start = from; start < to; start += ROW) {
    const within = samples.filter(({ time }) => time >= start && time < start + ROW)
    if (within.length) {
      rows.push({ time: clock(start), cells: COLUMNS.map(({ name, format }) => ({ text: print(average(within, name), format) })) })
    }
  }
  return rows
}

function average (samples, name) {
  const values = samples.map((sample) => sample[name]).filter((value) => typeof value === 'number')
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined
}

function print (value, format) {
  return typeof value === 'number' ? format(value) : '–'
}

function shortNumber (value) {
  return value >= 100 ? whole(value) : String(Math.round(value * 10) / 10)
}

function whole (value) {
  return Math.round(value).toLocaleString('en-US')
}

function milliseconds (value) {
  return `${value >= 10 ? Math.round(value) : Math.round(value * 100) / 100} ms`
}

function percent (value) {
  return `${Math.round(value * 1000) / 10} %`
}

function size (bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const unit = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${shortNumber(bytes / 1000 ** unit)} ${units[unit]}`
}
