// What callers hand over, checked; and the errors that say so.

module.exports = { asItem, invalid, requireOptions, requireText }

function requireText (value, slug) {
  if (typeof value !== 'string' || !value) {
    throw invalid(slug)
  }
}

// A name that is not known may be a known one, mistyped.
function requireOptions (options, known) {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw invalid('invalid-option', 'ERR_INVALID', `there is no option ${unknown}; there are ${known.join(', ')}`)
  }
}

// Items arrive as text, numbers or booleans, and are kept as text: 3 and '3' are one item.
function asItem (value, slug) {
  const isItem = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  const item = isItem ? String(value) : ''
  requireText(item, slug)
  return item
}

// The message is a slug, because the host prints it into JSON without escaping it.
function invalid (slug, code = 'ERR_INVALID', detail) {
  const error = new Error(slug)
  error.code = code
  if (detail) {
    error.detail = detail
  }
  return error
}
