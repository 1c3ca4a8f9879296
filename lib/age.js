// Ages as people write them: 30d.
const { invalid } = require('./arguments.js')

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }

module.exports = { readAge }

// In seconds. No age at all would be all sessions that have ended this moment, which nobody asks for.
function readAge (text, slug = 'invalid-age', code = 'ERR_INVALID', what = 'the age') {
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) || []
  if (!Number(number)) {
    throw invalid(slug, code, `${what}: ${text} is not a whole number over 0 with its unit, like 30d (s, m, h, d or w)`)
  }
  return Number(number) * SECONDS[unit]
}
