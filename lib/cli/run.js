// Everything that all commands share. `run` finds the store, calls the command, prints its report, and sets the exit code.
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { failure } = require('../errors.js')
const { explainFolder } = require('../folders.js')
const { printable, toJson } = require('../printable.js')
const { databaseName } = require('../native.js')
const { openForImport } = require('../open.js')
const { bothSet, notOffered, settings } = require('../settings.js')
const { fullName, programOf } = require('./commands.js')
const { exitCodeOf, exitCodes } = require('./exit-codes.js')
const { explainSystemError } = require('./failure.js')
const { listenForSignals } = require('./interrupt.js')
const { bytesText, countText, secondsText } = require('./numbers.js')
const { write } = require('./write.js')

module.exports = { ended, folderOf, holds, optionsOf, requireFolder, run, printError, withStore, withTarget }

// Wraps the action of a command. The action gets the place of the store, which is { folder } or { url }, the arguments, the
// options, and a function that moves the report to stderr. It returns
//   report:  the fields of --json
//   text:    the lines for people
//   summary: further lines on stderr
//   code:    not 0 if the command has found something
function run (action) {
  return async (...args) => {
    const command = args.pop()
    args.pop()
    const options = { ...command.optsWithGlobals(), command: fullName(command), hasDryRun: command.options.some(({ long }) => long === '--dry-run') }
    let stream = process.stdout
    const reportToStderr = () => { stream = process.stderr }
    const started = Date.now()
    // The exit code until the command ends.
    process.exitCode = exitCodes.failed.code
    printWarnings(options.json)
    listenForSignals((signal) => printError({ message: 'interrupted', code: 'ERR_INTERRUPTED', detail: `ended by ${signal}` }, options.json))
    try {
      const { place, origin } = findStore(command, args)
      const name = place.url ? databaseName(place.url) : place.folder
      if (origin && !options.json) {
        await printLines(process.stderr, [`store: ${name} (${origin})`])
      }
      if (place.folder) {
        requireFolder(place.folder, 'store-missing', 'ERR_STORE_MISSING', 'name the folder of the store')
      }
      const { code = 0, report, text, summary = [] } = await action(place, args, options, reportToStderr)
      if (options.json) {
        await write(stream, `${toJson({ store: name, ...report })}\n`)
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

// Returns the place of the store; and the origin of its name, unless the command line names it.
function findStore (command, args) {
  const at = command.registeredArguments.findIndex((argument) => argument.name() === 'store')
  const argument = at === -1 ? undefined : args.splice(at, 1)[0]
  const program = programOf(command)
  const isOption = program.getOptionValueSource('store') === 'cli'
  const named = isOption ? program.opts().store : argument
  if (isOption && argument !== undefined) {
    throw failure('invalid-store', 'ERR_USAGE', 'the store is named twice, as an argument and by --store; name it once')
  }
  if (named === '') {
    throw failure('invalid-store', 'ERR_USAGE', 'the name of the store is empty; name its folder, or the URL of its database')
  }
  if (named !== undefined) {
    return { place: placeOf(named) }
  }
  const [url, folder] = [settings.url.variable, settings.folder.variable]
  if (process.env[url] && process.env[folder]) {
    throw bothSet(url, folder)
  }
  const variable = [url, folder].find((variable) => process.env[variable])
  return variable
    ? { place: variable === url ? { url: process.env[url] } : { folder: path.resolve(process.env[folder]) }, origin: `from ${variable}` }
    : { place: { folder: path.resolve(program.opts().store) }, origin: `the default, because neither --store nor ${url} nor ${folder} is given` }
}

// A folder may have a name like a URL.
function placeOf (name) {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(name) && !fs.existsSync(name) ? { url: name } : { folder: path.resolve(name) }
}

// Returns the folder of the store for a command that does not exist for databases.
function folderOf ({ folder }, what) {
  if (!folder) {
    throw notOffered(what)
  }
  return folder
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
async function withStore ({ folder, url }, work, { create = false } = {}) {
  const store = await addon.open(optionsOf({ folder, url }, create))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

// Opens the store for `work` that brings data. `work` gets the store, and the functions that begin and finish the import.
async function withTarget (place, work) {
  const target = await openForImport(optionsOf(place, true))
  try {
    return await work(target)
  } finally {
    await target.store.close()
  }
}

function optionsOf ({ folder, url }, create) {
  return url ? { url, durability: process.env[settings.durability.variable] || undefined, create } : { path: folder, create }
}

function holds ({ records, lists, items, bytes }) {
  return `${countText(records, 'record')}, ${countText(lists, 'list')} with ${countText(items, 'item')}, ${bytesText(bytes)}`
}

// Returns the lines about the end of all sessions. `consequence` returns a sentence about the accounts, if there are any.
function ended (report, consequence) {
  return report
    ? [`every session of ${countText(report.accounts, 'account')} was ended${report.accounts && consequence ? `: ${consequence(report)}` : ''}`, ...(report.others ? [countText(report.others, 'record under a key of an account is not an account, and was left', 'records under keys of accounts are not accounts, and were left')] : [])]
    : ['the sessions of the backup stay valid']
}
