// The work of the commands that a running dashboard answers. The tool runs the same functions itself on the store of a stopped
// dashboard (alone.js). An operation gets a context and its parameters, and returns a report for JSON. The context:
//
//   module     the store, and what the module has for it: see lib/sessions/module.js
//   appid      the application that counts if the parameters name none
//   isRunning  whether a dashboard uses the store meanwhile
//   signal     aborted once nobody waits for the report any more
//   done       returns how much is done; an operation may set its own
const { requireText } = require('../arguments.js')
const { backup } = require('../backup.js')
const { failure, invalid } = require('../errors.js')
const { configuredSecret, decrypt, looksEncrypted } = require('../host.js')
const { redact, redactText } = require('../redact.js')
const { CAUSES } = require('../sessions/calls.js')
const { verifyCopy } = require('./verify-copy.js')
const sessions = require('./session-operations.js')

// Bytes that are shown of a record that is not text.
const SHOWN_BYTES = 64
const MOST_ITEMS = 1e9
// Decrypted under another secret, a record contains such characters.
// eslint-disable-next-line no-control-regex
const NOT_TEXT = /[\ufffd\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

const operations = {
  backup: ({ module, signal }, { folder, keep }) => backup(module.store, folder, { keep }, signal),
  verify: async (context) => context.isRunning ? verifyCopy(context) : JSON.parse(await context.module.store.verify()),
  stats,
  inspect,
  list,
  ...sessions
}

module.exports = { CAUSES, operations }

async function stats ({ module: { store } }) {
  const usage = JSON.parse(await store.usage())
  const { diskBytes, replacedBytes } = JSON.parse(await store.stats())
  return { ...usage, diskBytes, replacedBytes }
}

async function list ({ module: { store } }, { path, offset, limit }) {
  requireText(path, 'invalid-path')
  requireCount(offset, 0, 'invalid-offset')
  requireCount(limit, 1, 'invalid-limit')
  const count = await store.count(path)
  if (!count) {
    throw failure('list-missing', 'ERR_LIST_MISSING', `there is no list ${path}`)
  }
  return { list: path, count, offset, items: await store.page(path, offset, limit) }
}

function requireCount (number, least, slug) {
  if (!Number.isInteger(number) || number < least || number > MOST_ITEMS) {
    throw invalid(slug)
  }
}

async function inspect ({ module: { store } }, { key, reveal }) {
  requireText(key, 'invalid-file')
  const contents = await store.readBinary(key)
  if (!contents) {
    throw failure('record-missing', 'ERR_RECORD_MISSING', `there is no record ${key}`)
  }
  const { form, value } = read(key, contents, reveal === true)
  return { record: key, bytes: contents.length, form, value }
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
  }
}
