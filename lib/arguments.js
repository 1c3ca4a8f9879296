// Checks of the arguments of calls.
const { invalid } = require('./errors.js')

module.exports = { asItem, requireOptions, requireText }

function requireText (value, slug) {
  if (typeof value !== 'string' || !value) {
    throw invalid(slug)
  }
}

// An unknown name is refused, because it may be a known one that was mistyped.
function requireOptions (options, known) {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw invalid('invalid-option', `there is no option ${unknown}; the options are ${known.join(', ')}`)
  }
}

// Items are text, numbers or booleans, and are stored as text: 3 and '3' are the same item.
function asItem (value, slug) {
  const isItem = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  const item = isItem ? String(value) : ''
  requireText(item, slug)
  return item
}
