// What all commands share: the store, what is told, and how they end.
const path = require('path')
const addon = require('../../index.js')
const { explainFolder } = require('../folders.js')
const { printable, toJson } = require('../printable.js')
const { exitCodeOf, exitCodes } = require('./exit-codes.js')
const { explainSystemError, failure } = require('./failure.js')
const { listenForSignals } = require('./interrupt.js')
const { showBytes, showProgress } = require('./progress.js')
const { bytesText, secondsText } = require('./numbers.js')
const { write } = require('./write.js')

module.exports = { ended, failure, holds, requireFolder, run, showBytes, showProgress, tellError, withStore }

// Wraps the action of a command, which gets the folder of the store, the arguments and the options. It returns the
// report (for --json), its lines for people, lines about the whole as `summary`, and a `code` other than 0 if it has
// found something.
function run (action) {
  return async (...args) => {
    const command = args.pop()
    args.pop()
    const options = { ...command.optsWithGlobals(), command: command.name() }
    // Where the output is the data itself, what is told about it goes elsewhere.
    let stream = process.stdout
    const started = Date.now()
    const toStderr = () => { stream = process.stderr }
    // Unless it comes to its end.
    process.exitCode = exitCodes.failed.code
    tellWarnings(options.json)
    listenForSignals((signal) => tellError({ message: 'interrupted', code: 'ERR_INTERRUPTED', detail: `ended by ${signal}` }, options.json))
    try {
      const { folder, origin } = findStore(command, args)
      if (origin && !options.json) {
        await tellLines(process.stderr, [`store: ${folder} (${origin})`])
      }
      requireFolder(folder, 'store-missing', 'ERR_STORE_MISSING', 'name the folder of the store')
      const { code = 0, report, text, summary = [] } = await action(folder, args, options, toStderr)
      if (options.json) {
        await write(stream, `${toJson({ store: folder, ...report })}\n`)
      } else {
        await tellLines(stream, text)
        await tellLines(process.stderr, [...summary, ...took(options.command, started)])
      }
      process.exitCode = code ? exitCodes.found.code : exitCodes.done.code
    } catch (error) {
      fail(error, options.json)
    }
  }
}

// The folder of the store, and where its name comes from unless the command line has it.
function findStore (command, args) {
  const at = command.registeredArguments.findIndex((argument) => argument.name() === 'store')
  const argument = at === -1 ? undefined : args.splice(at, 1)[0]
  const program = command.parent
  const isOption = program.getOptionValueSource('store') === 'cli'
  const named = isOption ? program.opts().store : argument
  if (isOption && argument !== undefined) {
    throw failure('invalid-store', 'ERR_USAGE', 'the store is named twice, as an argument and by --store; name it once')
  }
  if (named === '') {
    throw failure('invalid-store', 'ERR_USAGE', 'the name of the store is empty; name its folder')
  }
  if (named !== undefined) {
    return { folder: path.resolve(named) }
  }
  const { SLED_PATH } = process.env
  return SLED_PATH
    ? { folder: path.resolve(SLED_PATH), origin: 'from SLED_PATH' }
    : { folder: path.resolve(program.opts().store), origin: 'the default, since neither --store nor SLED_PATH is given' }
}

// A folder, or nothing yet.
function requireFolder (folder, message, code, advice) {
  const reason = explainFolder(folder)
  if (reason) {
    throw failure(message, code, `${reason}; ${advice}`)
  }
}

function fail (error, json) {
  if (error.code === 'EPIPE') {
    process.exitCode = exitCodes.unread.code
    return
  }
  const told = error.syscall ? explainSystemError(error) : error
  if (!told.code) {
    // Not foreseen: the stack is what helps.
    throw error
  }
  tellError(told, json)
  process.exitCode = exitCodeOf(told)
}

function tellError ({ message, code, detail }, json) {
  console.error(json ? toJson({ error: { message, code, detail } }) : printable(detail ? `${message}: ${detail}` : message))
}

// For who waits at a terminal.
function took (command, started) {
  const seconds = (Date.now() - started) / 1000
  return process.stderr.isTTY && seconds >= 1 ? [`${command} took ${secondsText(seconds)}`] : []
}

// In place of Node's own lines, which a terminal would obey and no program could read.
function tellWarnings (json) {
  process.removeAllListeners('warning')
  process.on('warning', ({ code, message }) => {
    console.error(json ? toJson({ warning: { message, code } }) : printable(`warning: ${message}${code ? ` (${code})` : ''}`))
  })
}

async function tellLines (stream, lines) {
  if (lines.length) {
    await write(stream, `${lines.map(printable).join('\n')}\n`)
  }
}

// Opens the store for `work`; only a command that brings data makes one.
async function withStore (folder, work, { create = false } = {}) {
  const store = await addon.open({ path: folder, create })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function holds ({ records, lists, items, bytes }) {
  return `${records} records, ${lists} lists with ${items} items, ${bytesText(bytes)}`
}

// `consequence` is what that means for the accounts, if there are any.
function ended (report, consequence) {
  return report
    ? [`every session of ${report.accounts} accounts was ended${report.accounts && consequence ? `: ${consequence}` : ''}`, ...(report.others ? [`${report.others} records under keys of accounts are not accounts, and were left`] : [])]
    : ['the sessions of the backup live on']
}
