// Everything that all commands share. `run` finds the store, calls the command, prints its report, and sets the exit code.
const path = require('path')
const addon = require('../../index.js')
const { failure } = require('../errors.js')
const { explainFolder } = require('../folders.js')
const { printable, toJson } = require('../printable.js')
const { notOffered, settings } = require('../settings.js')
const { exitCodeOf, exitCodes } = require('./exit-codes.js')
const { explainSystemError } = require('./failure.js')
const { listenForSignals } = require('./interrupt.js')
const { bytesText, secondsText } = require('./numbers.js')
const { write } = require('./write.js')

module.exports = { ended, holds, requireFolder, run, printError, withStore }

// URLs of databases, by the name that messages show, which has no password.
const databases = new Map()
// Commands that work on the files of a store.
const forFolders = ['recover', 'restore']

// Wraps the action of a command. The action gets the folder of the store, the arguments, the options, and a function that moves
// the report to stderr. It returns
//   report:  the fields of --json
//   text:    the lines for people
//   summary: further lines on stderr
//   code:    not 0 if the command has found something
function run (action) {
  return async (...args) => {
    const command = args.pop()
    args.pop()
    const options = { ...command.optsWithGlobals(), command: command.name() }
    let stream = process.stdout
    const reportToStderr = () => { stream = process.stderr }
    const started = Date.now()
    // The exit code until the command ends.
    process.exitCode = exitCodes.failed.code
    printWarnings(options.json)
    listenForSignals((signal) => printError({ message: 'interrupted', code: 'ERR_INTERRUPTED', detail: `ended by ${signal}` }, options.json))
    try {
      const { folder, origin } = findStore(command, args)
      if (origin && !options.json) {
        await printLines(process.stderr, [`store: ${folder} (${origin})`])
      }
      if (!databases.has(folder)) {
        requireFolder(folder, 'store-missing', 'ERR_STORE_MISSING', 'name the folder of the store')
      } else if (forFolders.includes(options.command)) {
        throw notOffered(options.command)
      }
      const { code = 0, report, text, summary = [] } = await action(folder, args, options, reportToStderr)
      if (options.json) {
        await write(stream, `${toJson({ store: folder, ...report })}\n`)
      } else {
        await printLines(stream, text)
        await printLines(process.stderr, [...summary, ...took(options.command, started)])
      }
      process.exitCode = code ? exitCodes.found.code : exitCodes.done.code
    } catch (error) {
      fail(error, options.json)
    }
  }
}

// Returns the folder of the store, or the name of its database; and the origin of it, unless the command line names it.
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
    return { folder: placeOf(named) }
  }
  const [{ variable }, { variable: urlVariable, slug, code }] = [settings.folder, settings.url]
  if (process.env[urlVariable]) {
    if (process.env[variable]) {
      throw failure(slug, code, `${urlVariable} and ${variable} are both set, and a store is in one of them; name the store by --store`)
    }
    return { folder: placeOf(process.env[urlVariable]), origin: `from ${urlVariable}` }
  }
  return process.env[variable]
    ? { folder: path.resolve(process.env[variable]), origin: `from ${variable}` }
    : { folder: path.resolve(program.opts().store), origin: `the default, because neither --store nor ${variable} is given` }
}

// Returns the path of a folder, or the name of a database.
function placeOf (named) {
  const [, scheme, user, place] = /^(postgres(?:ql)?:\/\/)(?:([^:@/?]*)(?::[^/?]*)?@)?([^?]*)/.exec(named) || []
  if (scheme === undefined) {
    return path.resolve(named)
  }
  const name = `${scheme}${user ? `${user}@` : ''}${place}`
  databases.set(name, named)
  return name
}

// Fails unless this is a folder, or could be made one.
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
  const explained = error.syscall ? explainSystemError(error) : error
  if (!explained.code) {
    // An unexpected error, which is found by its stack.
    throw error
  }
  printError(explained, json)
  process.exitCode = exitCodeOf(explained)
}

function printError ({ message, code, detail }, json) {
  console.error(json ? toJson({ error: { message, code, detail } }) : printable(detail ? `${message}: ${detail}` : message))
}

// Returns a line for people at a terminal.
function took (command, started) {
  const seconds = (Date.now() - started) / 1000
  return process.stderr.isTTY && seconds >= 1 ? [`${command} took ${secondsText(seconds)}`] : []
}

// Replaces Node's own lines, which may contain control characters and which no program could parse.
function printWarnings (json) {
  process.removeAllListeners('warning')
  process.on('warning', ({ code, message }) => {
    console.error(json ? toJson({ warning: { message, code } }) : printable(`warning: ${message}${code ? ` (${code})` : ''}`))
  })
}

async function printLines (stream, lines) {
  if (lines.length) {
    await write(stream, `${lines.map(printable).join('\n')}\n`)
  }
}

// Opens the store for `work`. Only a command that brings data creates a store.
async function withStore (folder, work, { create = false } = {}) {
  const url = databases.get(folder)
  const durability = process.env[settings.durability.variable] || undefined
  const store = await addon.open(url === undefined ? { path: folder, create } : { url, durability })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function holds ({ records, lists, items, bytes }) {
  return `${records} records, ${lists} lists with ${items} items, ${bytesText(bytes)}`
}

// Returns the lines about the end of all sessions. `consequence` is a sentence about the accounts, if there are any.
function ended (report, consequence) {
  return report
    ? [`every session of ${report.accounts} accounts was ended${report.accounts && consequence ? `: ${consequence}` : ''}`, ...(report.others ? [`${report.others} records under keys of accounts are not accounts, and were left`] : [])]
    : ['the sessions of the backup stay valid']
}
