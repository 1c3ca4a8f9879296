// `npm run docs`: writes docs/commands.md and the manual page from the commands themselves.
const fs = require('fs')
const path = require('path')
const { commandsOf, fullName } = require('../lib/cli/commands.js')
const { exitCodes } = require('../lib/cli/exit-codes.js')
const { codesOf, whichStore, whileItRuns } = require('../lib/cli/help.js')
const manual = require('../lib/cli/manual.js')
const { makeProgram } = require('../lib/cli/program.js')
const { version } = require('../package.json')

const pages = { commands: path.join(__dirname, 'commands.md'), manual: path.join(__dirname, '..', 'man', 'dashboard-sled.1') }
module.exports = { makeCommands, pages }

// The text of each page.
function makeCommands () {
  const program = makeProgram()
  return { commands: markdown(program), manual: roff(program) }
}

function markdown (program) {
  return `# Commands

Every command of the tool \`dashboard-sled\`, with its arguments, options, exit codes and output. [operations.md](operations.md) says when to
use which. This page is made from \`lib/cli\` by \`npm run docs\`; edit the texts there instead.

${whichStore}
A command that you do not tell the folder prints on stderr which one it uses. Only one process can open a store: while the dashboard
runs, it does the work of the commands below that say so, and the others need it to be stopped.

| command | what it does |
|---|---|
${commandsOf(program).map((command) => `| [${fullName(command)}](#${fullName(command).replace(' ', '-')}) | ${cell(command.description())} |`).join('\n')}

Every command also has these options:

${optionTable(program.options)}

With \`--json\` a command prints one line on stdout, which also has \`store\`, the folder of the store. An error is one line on
stderr: \`{"error":{"message":…,"code":…,"detail":…}}\`, with the codes of [operations.md](operations.md#errors).

## Exit codes

${table('exit code', Object.values(exitCodes).map(({ code, meaning }) => [code, meaning]))}

Each command below names the codes that it can end with.

${commandsOf(program).map(section).join('\n')}`
}

function section (command) {
  const { examples, fields, notes = [] } = manual[fullName(command)]
  const parts = [
    `## ${fullName(command)}`,
    `${sentence(command.description())}.`,
    `\`\`\`text\n${synopsis(command)}\n\`\`\``,
    ...notes,
    ...(manual[fullName(command)].opens === false ? [] : [whileItRuns(fullName(command))]),
    ...(command.registeredArguments.length ? [table('argument', command.registeredArguments.map((argument) => [`\`${form(argument)}\``, argument.description]))] : []),
    ...(command.options.length ? [optionTable(command.options)] : []),
    ...examples.map(([line, meaning]) => `${sentence(meaning)}:\n\n\`\`\`sh\nnpx dashboard-sled ${line}\n\`\`\``),
    `[Exit codes](#exit-codes): ${codesOf(fullName(command)).map(describeCode).join(', ')}.`,
    ...(fields.length ? [table('field of `--json`', fields.map(([name, meaning, option]) => [`\`${name}\``, option ? `with \`${option}\`: ${meaning}` : meaning]))] : [])
  ]
  return `${parts.join('\n\n')}\n`
}

// A code whose meaning this command changes has that meaning behind it.
function describeCode ({ code, meaning }) {
  const isCommon = Object.values(exitCodes).some((common) => common.code === code && common.meaning === meaning)
  return isCommon ? code : `${code} (${cell(meaning)})`
}

function synopsis (command) {
  return ['dashboard-sled', fullName(command), ...(command.options.length ? ['[options]'] : []), ...command.registeredArguments.map(form)].join(' ')
}

function form (argument) {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
}

function optionTable (options) {
  return table('option', options.map(({ flags, description, mandatory, defaultValue }) => [`\`${flags}\``, `${description}${mandatory ? ' (needed)' : ''}${defaultValue === undefined ? '' : ` (default: ${defaultValue})`}`]))
}

function table (title, rows) {
  return [`| ${title} | |`, '|---|---|', ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n')
}

function cell (text) {
  return String(text).replaceAll('|', '\\|').replace(/<(?=\w+>[^`])/g, '&lt;')
}

function sentence (text) {
  return text[0].toUpperCase() + text.slice(1)
}

function roff (program) {
  const lines = [
    `.TH DASHBOARD\\-SLED 1 "" "dashboard-sled ${version}" "User Commands"`,
    '.SH NAME', 'dashboard\\-sled \\- looks after a store of dashboard\\-sled',
    '.SH SYNOPSIS', '.B dashboard\\-sled', '.I command', '[options] [arguments]',
    '.SH DESCRIPTION', escape(program.description()), '.PP', escape(whichStore),
    '.SH OPTIONS', ...options(program.options),
    '.SH COMMANDS',
    ...commandsOf(program).flatMap(roffSection)
  ]
  return `${lines.join('\n')}\n`
}

function roffSection (command) {
  const { examples, fields, notes = [], opens } = manual[fullName(command)]
  return [
    `.SS "${escape(synopsis(command))}"`,
    `${escape(sentence(command.description()))}.`,
    ...[...notes, ...(opens === false ? [] : [whileItRuns(fullName(command))])].flatMap((note) => ['.PP', escape(note)]),
    ...command.registeredArguments.flatMap((argument) => ['.TP', `.I ${escape(form(argument))}`, escape(argument.description)]),
    ...options(command.options),
    ...examples.flatMap(([line, meaning]) => ['.PP', `${escape(sentence(meaning))}:`, '.PP', '.nf', `    dashboard\\-sled ${escape(line)}`, '.fi']),
    '.PP', 'Exit codes:',
    ...codesOf(fullName(command)).flatMap(({ code, meaning }) => ['.TP', String(code), escape(meaning)]),
    ...(fields.length ? ['.PP', escape('Fields of --json:')] : []),
    ...fields.flatMap(([name, meaning, option]) => ['.TP', `.B ${name}`, escape(option ? `with ${option}: ${meaning}` : meaning)])
  ]
}

function options (list) {
  return list.flatMap(({ flags, description }) => ['.TP', `.B ${escape(flags)}`, escape(description)])
}

function escape (text) {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replace(/^(['.])/gm, '\\&$1')
}

if (require.main === module) {
  for (const [name, text] of Object.entries(makeCommands())) {
    fs.mkdirSync(path.dirname(pages[name]), { recursive: true })
    fs.writeFileSync(pages[name], text)
  }
}
