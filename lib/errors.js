// Errors of the package: every one that JavaScript throws is made here.

module.exports = { failure, invalid }

// Returns an error. Its message is a slug, because Dashboard prints messages into JSON without escaping them; `detail` is a
// sentence for people.
function failure (slug, code, detail) {
  const error = new Error(slug)
  error.code = code
  if (detail) {
    error.detail = detail
  }
  return error
}

// The same for an invalid argument.
function invalid (slug, detail) {
  return failure(slug, 'ERR_INVALID', detail)
}
