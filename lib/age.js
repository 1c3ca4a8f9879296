// Ages as people write them: 30d.
const { failure } = require('./errors.js')

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }

module.exports = { readAge }

// Returns an age in seconds; `variable` is the setting that it comes from. The age 0 is refused, because it would mean every session that has ended.
function readAge (text, { slug = 'invalid-age', code = 'ERR_INVALID', variable } = {}) {
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) || []
  if (!Number(number)) {
    throw failure(slug, code, `${variable ? `${variable}: ` : ''}invalid age "${text}": write a whole number over 0 with a unit, for example 30d (s, m, h, d, w)`)
  }
  return Number(number) * SECONDS[unit]
}
