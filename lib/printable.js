// Text and JSON without the characters that a terminal obeys. Names in a store come from users of the dashboard.

// Control characters, line and paragraph separators, and the marks that change the direction of text.
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

module.exports = { printable, toJson }

// Returns `text` in one line, with an escape in place of each such character.
function printable (text) {
  return text.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

// Within JSON such characters are in strings only, where the escape has the same meaning.
function toJson (value) {
  return printable(JSON.stringify(value))
}
