// The audit: who ended what, when and why, with a filter, and as a file.
const { now } = require('../host.js')
const { Audit, CAUSES } = require('../sessions/calls.js')
const { toCsv, toEvent } = require('../audit/view.js')
const { CAUSES: texts, describeEntry, describeMissing } = require('./audit-texts.js')
const { render, url } = require('./render.js')
const { readMoment } = require('./times.js')

// Entries of a file that are read at once.
const BATCH = 500
const PATH = '/administrator/audit'
const FIELDS = ['accountid', 'actor', 'cause', 'since', 'until']
const MESSAGES = {
  'invalid-accountid': 'The account is not an id.',
  'invalid-actor': 'The actor is too long.',
  'invalid-cause': 'There is no such cause.',
  'invalid-cursor': 'There is no such page.',
  'invalid-time': 'The times need the form 2026-11-28T12:40, in UTC.'
}
// `note` is the last line of a file that is not whole.
const FORMATS = {
  csv: {
    type: 'text/csv; charset=utf-8',
    print: toCsv,
    note: (missing) => toCsv([{ cause: 'entries-missing', reason: describeMissing(missing) }])
  },
  jsonl: {
    type: 'application/x-ndjson; charset=utf-8',
    print: (entries) => entries.map((entry) => jsonLine(toEvent(entry))).join(''),
    note: (missing) => jsonLine({ object: 'entries-missing', missing, detail: describeMissing(missing) })
  }
}

module.exports = { choice: { get: choose }, file: { get: sendFile }, page: { get: show } }

async function show (req, res) {
  const given = readFields(req)
  const { cursor } = req.query || {}
  const view = {
    filter: given,
    causes: CAUSES.map((cause) => ({ cause, text: texts[cause], isChosen: cause === given.cause })),
    isFiltered: Object.keys(given).length > 0
  }
  let page
  try {
    page = await Audit.list({ appid: req.appid, query: { ...toFilter(given), limit: global.pageSize, ...(cursor !== undefined && { cursor }) } })
  } catch (error) {
    const text = MESSAGES[error.message]
    if (!text) {
      throw error
    }
    return render(req, res, { ...view, error: { text } })
  }
  return render(req, res, {
    ...view,
    info: page.missing ? { text: describeMissing(page.missing) } : undefined,
    entries: page.entries.map((entry) => ({ ...describeEntry(entry), accountUrl: url(PATH, { accountid: entry.accountid }) })),
    hasEntries: page.entries.length > 0,
    firstUrl: cursor !== undefined && url(PATH, given),
    nextUrl: page.cursor && url(PATH, { ...given, cursor: page.cursor }),
    downloadUrl: url(`${PATH}-download`, given)
  })
}

// A page of its own, because a browser refuses downloads from the frame, which is in a sandbox.
async function choose (req, res) {
  const given = readFields(req)
  const named = { accountid: 'account', actor: 'by', cause: 'cause', since: 'from', until: 'to' }
  return render(req, res, {
    filter: Object.keys(given).map((name) => ({ name: named[name], text: given[name] })),
    isWhole: Object.keys(given).length === 0,
    csvUrl: url(`${PATH}-file`, { ...given, format: 'csv' }),
    jsonlUrl: url(`${PATH}-file`, { ...given, format: 'jsonl' }),
    backUrl: url(PATH, given)
  })
}

// Page by page: however many entries there are, few are in memory, and a reader that is slow is waited for.
async function sendFile (req, res) {
  const { format } = req.query || {}
  const found = Object.hasOwn(FORMATS, String(format)) ? FORMATS[format] : undefined
  if (!found) {
    throw new Error('invalid-format')
  }
  const filter = toFilter(readFields(req))
  let page = await Audit.list({ appid: req.appid, query: { ...filter, limit: BATCH } })
  res.writeHead(200, {
    'content-type': found.type,
    'content-disposition': `attachment; filename="audit-${new Date(now() * 1000).toISOString().slice(0, 10)}.${format}"`,
    'cache-control': 'no-store'
  })
  try {
    let missing = 0
    for (let isFirst = true; ; isFirst = false) {
      await write(res, found.print(page.entries, isFirst))
      missing += page.missing
      if (page.cursor === undefined || res.destroyed) {
        break
      }
      page = await Audit.list({ appid: req.appid, query: { ...filter, limit: BATCH, cursor: page.cursor } })
    }
    if (missing) {
      await write(res, found.note(missing))
    }
    res.end()
  } catch (error) {
    // The browser then says that the download failed; a file that ends early would look whole.
    res.destroy(error)
  }
}

function jsonLine (value) {
  return `${JSON.stringify(value)}\n`
}

async function write (res, text) {
  if (text && !res.write(text)) {
    await new Promise((resolve) => {
      const done = () => {
        res.off('drain', done)
        res.off('close', done)
        resolve()
      }
      res.on('drain', done)
      res.on('close', done)
    })
  }
}

// Returns what the filter's form says; what is empty was not filled in.
function readFields ({ query = {} }) {
  const entries = FIELDS.map((name) => [name, query[name]]).filter(([, text]) => typeof text === 'string' && text.trim())
  return Object.fromEntries(entries.map(([name, text]) => [name, text.trim()]))
}

function toFilter ({ since, until, ...filter }) {
  // A minute is in the time until it, with all its seconds.
  const read = { since: readMoment(since), until: until && until.length === '2026-11-28T12:40'.length ? readMoment(until) + 59 : readMoment(until) }
  const times = Object.entries(read).filter(([, time]) => time !== undefined)
  for (const [, time] of times) {
    if (Number.isNaN(time)) {
      throw new Error('invalid-time')
    }
  }
  // Times in the future are those of now: nothing has ended later.
  return { ...filter, ...Object.fromEntries(times.map(([name, time]) => [name, Math.min(Math.max(time, 0), now())])) }
}
