// One line on the terminal while a command takes over a second: how much is done, of how much, how fast, and how long the rest
// takes.
const { Bar } = require('cli-progress')
const addon = require('../../index.js')
const { onInterrupt } = require('./interrupt.js')
const { bytesText, numberText, secondsText } = require('./numbers.js')

const SHOWN_AFTER_MS = 1000
// Columns, if the terminal does not say how many it has.
const NARROW = 60

module.exports = { during, progressText, withBytes, withProgress }

// Shows progress during `work`, and returns its result. `value` returns how many `unit` are done; `total` is the number of all
// of them, if it is known.
async function withProgress (options, { value, unit, total }, work) {
  return during(options, { value, unit, total, text: numberText }, work)
}

// Shows the bytes that the addon reads or copies during `work`.
async function withBytes (options, work) {
  return during(options, { value: addon.progress, text: bytesText }, work)
}

// `kind` is as for withProgress, with the form of its numbers.
async function during (options, kind, work) {
  const end = show(options, kind)
  try {
    return await work()
  } finally {
    end()
  }
}

function show (options, { value, ...kind }) {
  if (options.json || !process.stderr.isTTY) {
    return () => {}
  }
  const started = Date.now()
  const format = () => progressText({ ...kind, verb: options.command, done: value() || 0, seconds: (Date.now() - started) / 1000, columns: process.stderr.columns || undefined })
  const line = new Bar({ clearOnComplete: true, format, fps: 1 })
  const timer = setTimeout(() => line.start(1, 0), SHOWN_AFTER_MS)
  const end = () => {
    cancelCleanup()
    clearTimeout(timer)
    if (line.isActive) {
      line.stop()
    }
  }
  const cancelCleanup = onInterrupt(end)
  return end
}

// Returns a text that fits into `columns`: a narrow terminal gets the first parts only.
function progressText ({ verb, done, total, unit, text, seconds, columns = NARROW }) {
  const rate = done / seconds
  const parts = [
    `${verb}: ${text(done)}${total ? ` of ${text(total)}` : ''}`,
    ...(rate > 0 ? [`${text(Math.round(rate))}/s`] : []),
    ...(rate > 0 && total > done ? [`${secondsText((total - done) / rate)} left`] : [])
  ]
  const withUnit = [unit ? `${parts[0]} ${unit}` : parts[0], ...parts.slice(1)].join(', ')
  const candidates = [withUnit, parts.join(', '), parts.slice(0, 2).join(', '), parts[0]]
  return candidates.find((candidate) => candidate.length < columns) || verb
}
