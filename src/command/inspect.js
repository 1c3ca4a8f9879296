const { decrypt, secrets } = require('../facade/host.js')
const { failure, run, withStore } = require('./run.js')

const SHOWN_BYTES = 64
// What the host keeps secret: sessionKey, tokenHash, passwordHash, usernameHash, secretCodeHash; and what modules call so.
const SECRET = /(hash|token|password|key)$|secret/i

module.exports = (program) => program.command('inspect')
  .description('shows one record, decrypted with ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV, its secrets redacted')
  .argument('<key>', 'the key, like dashboard/account/account_…')
  .option('--reveal', 'show the secrets as well')
  .action(run((folder, [key], { reveal }) => withStore(folder, async (store) => {
    const contents = await store.storage.readBinary(key)
    if (!contents) {
      throw failure('record-missing', 'ERR_RECORD_MISSING', `there is no record ${key}`)
    }
    const record = read(contents, reveal)
    const { bytes, form, value } = record
    return { report: { record: key, ...record }, text: [`${key}: ${bytes} bytes, ${form}`, typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)] }
  })))

function read (contents, reveal) {
  const bytes = contents.length
  // As Dashboard reads it, with U+FFFD for what is not UTF-8.
  const text = contents.toString()
  const decrypted = looksEncrypted(text) ? decrypt(text, ...secrets()) : text
  const form = decrypted === text ? '' : 'encrypted '
  // What another secret makes of it is no text.
  if (looksEncrypted(text) && (!form || decrypted.includes('\ufffd'))) {
    return { bytes, form: 'encrypted', value: 'set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them' }
  }
  try {
    return { bytes, form: `${form}JSON`, value: JSON.parse(decrypted, (name, value) => !reveal && SECRET.test(name) ? '(redacted)' : value) }
  } catch (error) {
    const isText = Buffer.from(text).equals(contents)
    return isText
      ? { bytes, form: `${form}text`, value: decrypted }
      : { bytes, form: 'binary', value: contents.toString('hex', 0, SHOWN_BYTES) + (bytes > SHOWN_BYTES ? '…' : '') }
  }
}

function looksEncrypted (text) {
  return /^([0-9a-f]{2}){2,}$/.test(text)
}
