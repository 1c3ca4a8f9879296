module.exports = { looksEncrypted }

// Dashboard stores what it encrypts as hexadecimal text.
function looksEncrypted (text) {
  return text.length >= 4 && text.length % 2 === 0 && !/[^0-9a-f]/.test(text)
}
