const { failure } = require('../errors.js')
const { configuredSecret, decrypt, looksEncrypted } = require('../host.js')
const { bytesText } = require('./numbers.js')
const { redact, redactText } = require('./redact.js')
const { run, withStore } = require('./run.js')

// Bytes that are shown of a record that is not text.
const SHOWN_BYTES = 64
// Decrypted under another secret, a record contains such characters.
// eslint-disable-next-line no-control-regex
const NOT_TEXT = /[\ufffd\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

module.exports = (program) => program.command('inspect')
  .description('shows one record, decrypted with ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV; possible secrets are redacted')
  .argument('<key>', 'the key, like dashboard/account/account_…')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--reveal', 'show everything')
  .action(run(inspect))

async function inspect (place, [key], { reveal }) {
  return withStore(place, async (store) => {
    const contents = await store.storage.readBinary(key)
    if (!contents) {
      throw failure('record-missing', 'ERR_RECORD_MISSING', `there is no record ${key}`)
    }
    const { form, value } = read(key, contents, reveal)
    const bytes = contents.length
    const text = typeof value === 'string' ? [value] : JSON.stringify(value, null, 2).split('\n')
    return { report: { record: key, bytes, form, value }, text: [`${key}: ${bytesText(bytes)}, ${form}`, ...text] }
  })
}

function read (key, contents, reveal) {
  // As Dashboard reads it: bytes that are not UTF-8 become U+FFFD.
  const text = contents.toString()
  const isEncrypted = looksEncrypted(text)
  const decrypted = isEncrypted ? decrypt(text, configuredSecret()) : text
  if (isEncrypted && (decrypted === text || NOT_TEXT.test(decrypted))) {
    throw failure('record-unreadable', 'ERR_RECORD_UNREADABLE', `the record ${key} seems to be encrypted, and could not be decrypted; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them`)
  }
  const form = isEncrypted ? 'encrypted ' : ''
  const parsed = parse(decrypted)
  if (parsed !== undefined) {
    return { form: `${form}JSON`, value: reveal ? parsed : redact(parsed) }
  }
  if (Buffer.from(text).equals(contents)) {
    return { form: `${form}text`, value: reveal ? decrypted : redactText(decrypted) }
  }
  const shown = contents.toString('hex', 0, SHOWN_BYTES) + (contents.length > SHOWN_BYTES ? '…' : '')
  return { form: 'binary', value: reveal ? shown : redactText(shown) }
}

function parse (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return undefined
  }
}
