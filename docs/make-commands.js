// `npm run docs`: writes docs/commands.md and the manual page from the commands themselves.
const fs = require('fs')
const path = require('path')
const { codesOf, settings } = require('../lib/cli/help.js')
const manual = require('../lib/cli/manual.js')
const { makeProgram } = require('../lib/cli/program.js')
const { version } = require('../package.json')

const pages = { commands: path.join(__dirname, 'commands.md'), manual: path.join(__dirname, '..', 'man', 'dashboard-sled.1') }
const end = `## From a running dashboard, and from other sources

A running dashboard tells \`Storage.stats()\`: commits a second and how long they take, the cache's hit rate, what waits, and the bytes on the disk.

A source that is none of these (MongoDB, a database of one's own) is brought over by a few lines:

\`\`\`js
const { open } = require('dashboard-sled')

async function * entries () {
  for await (const { key, contents } of source) {
    yield { record: key, contents: Buffer.from(contents) }
  }
  // Oldest first.
  yield { list: 'dashboard/accounts', items: ['account_1', 'account_2'] }
}

const store = await open({ path: 'data/dashboard.sled' })
await store.load(entries())
await store.close()
\`\`\`
`

module.exports = { makeCommands, pages }

// The text of each page.
function makeCommands () {
  const program = makeProgram()
  return { commands: markdown(program), manual: roff(program) }
}

function markdown (program) {
  return `# Commands

Made from the commands by \`npm run docs\`; do not edit it here, but in \`lib/cli\`.

${settings}
A command that was not told the folder says on stderr which one it works on. Only one process can open a store: stop the
dashboard before a command, or name a backup.

| command | what it does |
|---|---|
${program.commands.map((command) => `| [${command.name()}](#${command.name()}) | ${cell(command.description())} |`).join('\n')}

Every command also has these options:

${optionTable(program.options)}

With \`--json\` a command prints one line on stdout, which also has \`store\`, the folder of the store. An error is one line on
stderr: \`{"error":{"message":…,"code":…,"detail":…}}\`, with the codes of [operations.md](operations.md#errors).

${program.commands.map(section).join('\n')}
${end}`
}

function section (command) {
  const { examples, fields, notes = [] } = manual[command.name()]
  const parts = [
    `## ${command.name()}`,
    `${sentence(command.description())}.`,
    `\`\`\`text\n${synopsis(command)}\n\`\`\``,
    ...notes,
    ...(command.registeredArguments.length ? [table('argument', command.registeredArguments.map((argument) => [`\`${form(argument)}\``, argument.description]))] : []),
    ...(command.options.length ? [optionTable(command.options)] : []),
    ...examples.map(([line, meaning]) => `${sentence(meaning)}:\n\n\`\`\`sh\nnpx dashboard-sled ${line}\n\`\`\``),
    table('exit code', codesOf(command.name()).map(({ code, meaning }) => [code, meaning])),
    ...(fields.length ? [table('field of `--json`', fields.map(([name, meaning, option]) => [`\`${name}\``, option ? `with \`${option}\`: ${meaning}` : meaning]))] : [])
  ]
  return `${parts.join('\n\n')}\n`
}

function synopsis (command) {
  return ['dashboard-sled', command.name(), ...(command.options.length ? ['[options]'] : []), ...command.registeredArguments.map(form)].join(' ')
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
    '.SH DESCRIPTION', escape(program.description()), '.PP', escape(settings),
    '.SH OPTIONS', ...options(program.options),
    '.SH COMMANDS',
    ...program.commands.flatMap(roffSection)
  ]
  return `${lines.join('\n')}\n`
}

function roffSection (command) {
  const { examples, fields, notes = [] } = manual[command.name()]
  return [
    `.SS "${escape(synopsis(command))}"`,
    `${escape(sentence(command.description()))}.`,
    ...notes.flatMap((note) => ['.PP', escape(note)]),
    ...command.registeredArguments.flatMap((argument) => ['.TP', `.I ${escape(form(argument))}`, escape(argument.description)]),
    ...options(command.options),
    ...examples.flatMap(([line, meaning]) => ['.PP', `${escape(sentence(meaning))}:`, '.PP', '.nf', `    dashboard\\-sled ${escape(line)}`, '.fi']),
    '.PP', 'Exit codes:',
    ...codesOf(command.name()).flatMap(({ code, meaning }) => ['.TP', String(code), escape(meaning)]),
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
