// The program: its commands and the options that all of them have.
const { Command, Option } = require('commander')
const { printable } = require('../printable.js')
const { settings } = require('../settings.js')
const { commandsOf } = require('./commands.js')
const { exitCodes } = require('./exit-codes.js')
const { addHelp, addMainHelp } = require('./help.js')
const { printError } = require('./run.js')
const { version } = require('../../package.json')

// In the order of the help.
const commands = [
  require('./backup.js'),
  require('./restore.js'),
  require('./remove-replaced.js'),
  require('./verify.js'),
  require('./recover.js'),
  require('./export.js'),
  require('./import.js'),
  require('./sessions.js'),
  require('./audit.js'),
  require('./purge.js'),
  require('./compact.js'),
  require('./stats.js'),
  require('./inspect.js'),
  require('./list.js'),
  require('./completion.js')
]

module.exports = { makeProgram }

function makeProgram () {
  const json = isJson()
  const program = new Command('dashboard-sled')
    .description('Manages a store of dashboard-sled. backup, verify, stats, inspect, list, sessions and audit also work while the dashboard runs; stop it before any other command. A store in a database stays in use meanwhile.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addOption(new Option('--store <folder>', `the folder of the store, or the URL of its database; without it ${settings.folder.variable} or ${settings.url.variable} counts`).default(settings.folder.byDefault))
    .option('--json', 'print one line of JSON instead of text')
    .allowExcessArguments(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(withAdvice(text)),
      writeErr: json ? once((text) => printError(usageError(text), true)) : (text) => process.stderr.write(text.split('\n').map(printable).join('\n'))
    })
    .exitOverride((error) => process.exit(error.exitCode ? exitCodes.usage.code : exitCodes.done.code))
  commands.forEach((add) => add(program))
  addMainHelp(program)
  program.addHelpText('before', ({ error }) => error ? refuseUnknown(program) : '')
  commandsOf(program).forEach(addHelp)
  return program
}

// Without this, `help` of an unknown command would print the help of the tool.
function refuseUnknown (program) {
  const [first, name] = program.args
  if (first !== 'help') {
    return ''
  }
  return name === 'help' ? program.help() : program.error(`error: unknown command '${name}'; dashboard-sled --help lists them`)
}

// Reads the option from the arguments, because errors of the parser come before its options are known.
function isJson () {
  const words = process.argv.slice(2)
  const end = words.indexOf('--')
  return words.slice(0, end === -1 ? undefined : end).includes('--json')
}

// The parser writes its help in several parts; only the first one is an error.
function once (report) {
  let isReported = false
  return (text) => {
    if (!isReported) {
      isReported = true
      report(text)
    }
  }
}

// Adds advice to the error about a folder behind a command that takes none: it was meant as the store.
function withAdvice (text) {
  return text.startsWith('error: too many arguments') ? `${text.trimEnd()} The store is named with --store; --help has what the command takes.\n` : text
}

function usageError (text) {
  // Without any command the text is the help.
  const detail = text.startsWith('Usage:') ? 'name a command; dashboard-sled --help lists them' : text.replace(/^error: /, '').trim()
  return { message: 'invalid-command-line', code: 'ERR_USAGE', detail }
}
