// Numbers as people read them: sizes, durations and counts.

const UNITS = ['kB', 'MB', 'GB', 'TB']

module.exports = { bytesText, countText, numberText, secondsText }

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

// 1 entry, 2 entries
function countText (number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`
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
