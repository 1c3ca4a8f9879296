// The help of a command: the parser's part about the options, and the texts of manual.js.
const { settings } = require('../settings.js')
const { fullName } = require('./commands.js')
const { exitCodes } = require('./exit-codes.js')
const manual = require('./manual.js')

const WIDTH = 78
const whichStore = `The store is in the folder behind --store, else in ${settings.folder.variable}, else in ${settings.folder.byDefault}.`

module.exports = { addHelp, addMainHelp, codesOf, whichStore, whileItRuns }

function addHelp (command) {
  const name = fullName(command)
  const { examples, notes = [], opens } = manual[name]
  const parts = [
    ...notes.map((note) => wrap(note, '')),
    ...(opens === false ? [] : [wrap(`${whichStore} ${whileItRuns(name)}`, '')]),
    `Examples:\n${examples.map(([line, meaning]) => `  $ dashboard-sled ${line}\n${wrap(meaning, '      ')}`).join('\n')}`,
    table(codesOf(name))
  ]
  command.addHelpText('after', `\n${parts.join('\n\n')}`)
}

// Returns a sentence about a dashboard that runs meanwhile.
function whileItRuns (name) {
  return manual[name].running ? 'The dashboard may run meanwhile: it then does the work itself.' : 'Stop the dashboard before, unless the store is in a database.'
}

// Adds the help of the tool.
function addMainHelp (program) {
  program.addHelpText('after', `\n${wrap(whichStore, '')}\n\n${table(Object.values(exitCodes))}\n\ndashboard-sled help <command> prints the options of a command, with examples.`)
}

function table (codes) {
  return `Exit codes:\n${codes.map(({ code, meaning }) => wrap(meaning, `  ${String(code).padEnd(5)}`, '       ')).join('\n')}`
}

// Returns the exit codes that a command may have.
function codesOf (name) {
  const { found, opens, streams } = manual[name]
  const { done, failed, usage, missing, locked, damaged, notPermitted, interrupted, unread } = exitCodes
  if (opens === false) {
    return [done, usage]
  }
  return [
    done, failed, usage,
    ...(found ? [{ code: exitCodes.found.code, meaning: found }] : []),
    missing, locked, damaged, notPermitted, interrupted,
    ...(streams ? [unread] : [])
  ]
}

// Returns lines of at most WIDTH characters. The first begins with `indent`, the others with `hanging`.
function wrap (text, indent, hanging = indent) {
  const lines = []
  let line = indent
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = hanging + word
    } else {
      line += isEmpty ? word : ` ${word}`
    }
    isEmpty = false
  }
  return [...lines, line].join('\n')
}
