// Dashboard's secret: named as its settings are, set for this process, and used as Dashboard uses it.
const crypto = require('crypto')

const secrets = { ENCRYPTION_SECRET: '0123456789abcdef0123456789abcdef', ENCRYPTION_SECRET_IV: '0123456789abcdef' }
const otherSecrets = { ENCRYPTION_SECRET: 'fedcba9876543210fedcba9876543210', ENCRYPTION_SECRET_IV: 'fedcba9876543210' }

module.exports = { decrypt, encrypt, otherSecrets, secrets, useSecret }

// Sets the secret where Dashboard keeps it, or removes it.
function useSecret ({ ENCRYPTION_SECRET, ENCRYPTION_SECRET_IV } = {}) {
  global.encryptionSecret = ENCRYPTION_SECRET
  global.encryptionSecretIV = ENCRYPTION_SECRET_IV
}

// Text or bytes as Dashboard stores them: in hexadecimal under a secret, as they are without one.
function encrypt (contents, secret = secretInUse()) {
  return secret.ENCRYPTION_SECRET ? cipher('createCipheriv', secret).update(contents).toString('hex') : contents
}

function decrypt (text, secret = secretInUse()) {
  return secret.ENCRYPTION_SECRET ? cipher('createDecipheriv', secret).update(text, 'hex', 'utf8') : text
}

function cipher (create, { ENCRYPTION_SECRET, ENCRYPTION_SECRET_IV }) {
  return crypto[create]('aes-256-ctr', ENCRYPTION_SECRET, ENCRYPTION_SECRET_IV)
}

function secretInUse () {
  return { ENCRYPTION_SECRET: global.encryptionSecret, ENCRYPTION_SECRET_IV: global.encryptionSecretIV }
}
