// Text that people read, and JSON that goes to a terminal.

// Control characters, line and paragraph separators, and the marks that change the direction of text: a terminal obeys
// them, and names come from users of the dashboard.
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const UNITS = ['kB', 'MB', 'GB', 'TB']

module.exports = { bytesText, numberText, printable, secondsText, toJson }

// One line.
function printable (text) {
  return text.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

// Within JSON such characters are in strings only, where the escape means the same.
function toJson (value) {
  return printable(JSON.stringify(value))
}

// 10.5 MB
function bytesText (bytes) {
  if (bytes < 1000) {
    return `${bytes} bytes`
  }
  let size = bytes
  let unit = -1
  while (size >= 999.95 && unit < UNITS.length - 1) {
    size /= 1000
    unit++
  }
  return `${size.toFixed(1).replace(/\.0$/, '')} ${UNITS[unit]}`
}

// 12 s, 3 min 20 s, 2 h 5 min
function secondsText (seconds) {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  if (hours) {
    return `${hours} h ${minutes} min`
  }
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`
}

// 1,234,567
function numberText (number) {
  return number.toLocaleString('en-US')
}
