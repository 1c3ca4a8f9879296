// The help of a command: what the parser says of its options, and its page of the manual.
const { exitCodes } = require('./exit-codes.js')
const manual = require('./manual.js')

const WIDTH = 78
const settings = 'The store is in the folder behind --store, else in SLED_PATH, else in data/dashboard.sled.'

module.exports = { addHelp, addMainHelp, codesOf, settings }

function addHelp (command) {
  const { examples, notes = [], opens } = manual[command.name()]
  const parts = [
    ...notes.map((note) => wrap(note, '')),
    ...(opens === false ? [] : [wrap(settings, '')]),
    `Examples:\n${examples.map(([line, meaning]) => `  $ dashboard-sled ${line}\n${wrap(meaning, '      ')}`).join('\n')}`,
    table(codesOf(command.name()))
  ]
  command.addHelpText('after', `\n${parts.join('\n\n')}`)
}

// Of the tool as a whole.
function addMainHelp (program) {
  program.addHelpText('after', `\n${wrap(settings, '')}\n\n${table(Object.values(exitCodes))}\n\ndashboard-sled help <command> has the options of a command, with examples.`)
}

function table (codes) {
  return `Exit codes:\n${codes.map(({ code, meaning }) => wrap(meaning, `  ${String(code).padEnd(5)}`, '       ')).join('\n')}`
}

// The exit codes that a command may have.
function codesOf (name) {
  const { found, opens } = manual[name]
  const { done, failed, usage, missing, locked, damaged, notPermitted, interrupted, unread } = exitCodes
  if (opens === false) {
    return [done, usage]
  }
  return [
    done, failed, usage,
    ...(found ? [{ code: exitCodes.found.code, meaning: found }] : []),
    missing, locked, damaged, notPermitted, interrupted,
    ...(['export', 'list'].includes(name) ? [unread] : [])
  ]
}

// Lines that begin with `indent`, those behind the first with `hanging`.
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
