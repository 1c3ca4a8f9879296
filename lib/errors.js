// Errors of the package: every one that JavaScript throws is made here.

module.exports = { failure, invalid, leaveChanged }

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

// For the refusal of a change because a record was no longer as it was expected, which is not a failure. Throws any other error.
function leaveChanged (error) {
  if (error.message !== 'record-changed') {
    throw error
  }
}
