// The longest name and the largest contents that a store accepts, in bytes. src/store/mod.rs has the same limits.
const LONGEST_NAME = 64 * 1024
const LARGEST_CONTENTS = 64 * 1024 * 1024

module.exports = { LARGEST_CONTENTS, LONGEST_NAME, nameBytes, shorten }

// Returns the size of a name in bytes. A name that is certainly within the limit is not measured: a unit of a string takes
// at most three bytes.
function nameBytes (name) {
  return name.length > LONGEST_NAME / 3 ? Buffer.byteLength(name) : name.length
}

// Returns a name as messages show it.
function shorten (name) {
  return name.length > 100 ? `${name.substring(0, 100)}…` : name
}
