// What all commands share: the folder, the progress, what is told, and how they end.
const { Bar, Presets } = require('cli-progress')
const path = require('path')
const addon = require('../../index.js')

module.exports = { ended, failure, holds, run, showBytes, showProgress, withStore }

// Wraps the action of a command, which gets the folder of the store, the arguments and the options. It returns the
// report (for --json), its lines for people, and 1 as `code` if something is wrong with what was looked at.
function run (action) {
  return async (...args) => {
    const options = args.pop().optsWithGlobals()
    args.pop()
    // Where the output is the data itself, what is told about it goes elsewhere.
    let tell = console.log
    const toStderr = () => { tell = console.error }
    // Unless it comes to its end.
    process.exitCode = 1
    try {
      const { code = 0, report, text } = await action(path.resolve(options.store), args, options, toStderr)
      tell(options.json ? JSON.stringify(report) : text.map(printable).join('\n'))
      process.exitCode = code
    } catch (error) {
      fail(error, options.json, tell)
    }
  }
}

function fail (error, json, tell) {
  const { message, code, detail } = error
  if (!code) {
    // Not foreseen: the stack is what helps.
    throw error
  }
  if (json) {
    tell(JSON.stringify({ error: { message, code, detail } }))
  } else {
    console.error(printable(detail ? `${message}: ${detail}` : message))
  }
  process.exitCode = code === 'ERR_INVALID' ? 2 : 1
}

function failure (message, code, detail) {
  return Object.assign(new Error(message), { code, detail })
}

// Opens the store for `work`; only a command that brings data makes one.
async function withStore (folder, work, { create = false } = {}) {
  const store = await addon.open({ path: folder, create })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

// Shows how far something is, on a terminal, once it takes over a second. Returns what ends it.
function showProgress (options, value, unit, total) {
  if (options.json || !process.stderr.isTTY) {
    return () => {}
  }
  const format = total ? `{bar} {value} of {total} ${unit}` : `{value} ${unit}`
  const bar = new Bar({ clearOnComplete: true, format }, Presets.shades_classic)
  let shown = false
  const timer = setInterval(() => {
    if (!shown) {
      bar.start(total || 0, 0)
      shown = true
    }
    bar.update(value())
  }, 1000)
  return () => {
    clearInterval(timer)
    if (shown) {
      bar.stop()
    }
  }
}

// The same for what the addon reads or copies.
function showBytes (options) {
  return showProgress(options, () => Math.round(addon.progress() / 1e6), 'MB')
}

function holds ({ records, lists, items, bytes }) {
  return `${records} records, ${lists} lists with ${items} items, ${bytes} bytes`
}

function ended (report) {
  return report
    ? [`every session of ${report.accounts} accounts was ended`, ...(report.others ? [`${report.others} records under keys of accounts are none, and were left`] : [])]
    : ['the sessions of the backup live on']
}

// Names come from users of the dashboard: none of them may steer the terminal.
function printable (text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
