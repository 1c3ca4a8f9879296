// One line on the terminal while something takes over a second: what was done, of how much, how fast, how long still.
const { Bar } = require('cli-progress')
const addon = require('../../index.js')
const { onInterrupt } = require('./interrupt.js')
const { bytesText, numberText, secondsText } = require('./numbers.js')

const LONG_MS = 1000
const NARROW = 60

module.exports = { progressText, showBytes, showProgress }

// `value` returns how many `unit` are done; `total` is how many there are, if that is known. Returns what ends it.
function showProgress (options, value, unit, total) {
  return show(options, value, { total, unit, text: numberText })
}

// The same for the bytes that the addon reads or copies.
function showBytes (options) {
  return show(options, addon.progress, { text: bytesText })
}

function show (options, value, kind) {
  if (options.json || !process.stderr.isTTY) {
    return () => {}
  }
  const started = Date.now()
  const format = () => progressText({ ...kind, verb: options.command, done: value() || 0, seconds: (Date.now() - started) / 1000, columns: process.stderr.columns || undefined })
  const line = new Bar({ clearOnComplete: true, format, fps: 1 })
  const timer = setTimeout(() => line.start(1, 0), LONG_MS)
  const end = () => {
    takeBack()
    clearTimeout(timer)
    if (line.isActive) {
      line.stop()
    }
  }
  const takeBack = onInterrupt(end)
  return end
}

// Whole in `columns`: what a narrow terminal has no room for is left out from the end.
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
