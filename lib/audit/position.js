// Positions of consumers: the number of an entry, with the beginning of its hash. A number alone is given out again after a restore of
// a backup, and would then name an entry that the consumer has not seen.

const DIGITS = 16

module.exports = { isAt, positionOf, readPosition }

function positionOf ({ number, hash }) {
  return `${number}-${hash.slice(0, DIGITS)}`
}

// Returns a position as its number and, if it is a text, the beginning of its hash; undefined for all that is not a position.
function readPosition (value) {
  const [, digits, hash] = (typeof value === 'string' && /^(0|[1-9]\d{0,15})-([\da-f]{16})$/.exec(value)) || []
  const number = hash === undefined ? value : Number(digits)
  return Number.isSafeInteger(number) && number >= 0 ? { number, hash } : undefined
}

// Returns whether a position is at an entry with this hash.
function isAt (position, hash) {
  return position.hash === undefined || hash.startsWith(position.hash)
}
