// Times on pages, in UTC as Dashboard's dates are.

module.exports = { ago, clock, moment, readMoment }

const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [Infinity, 'day']]

// "3 minutes ago", for seconds of Dashboard's clock.
function ago (time, now) {
  let amount = Math.max(0, now - time)
  if (amount < 10) {
    return 'just now'
  }
  for (const [size, unit] of STEPS) {
    if (amount < size) {
      return `${amount} ${unit}${amount === 1 ? '' : 's'} ago`
    }
    amount = Math.floor(amount / size)
  }
}

// "2026-11-28 12:40"
function moment (time) {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString().slice(0, 16).replace('T', ' ')
}

// "12:40"
function clock (time) {
  return moment(time).slice(-5)
}

// Reads the value of an input of the type datetime-local. Returns undefined if it is empty, NaN if it is invalid.
function readMoment (text) {
  if (text === undefined || text === '') {
    return
  }
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(text)) {
    return NaN
  }
  return Math.floor(Date.parse(`${text.replace(' ', 'T')}Z`) / 1000)
}
