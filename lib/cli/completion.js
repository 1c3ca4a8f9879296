const { Argument } = require('commander')
const { commandsOf, fullName } = require('./commands.js')
const { write } = require('./write.js')

const scripts = { bash, fish, zsh }

module.exports = (program) => program.command('completion')
  .description('prints a script that completes commands and options in a shell')
  .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(Object.keys(scripts)))
  .action((shell) => write(process.stdout, scripts[shell](program, program.commands)))

function bash (program, commands) {
  const options = (command) => [...visible(command), ...visible(program)].map(({ long }) => long).concat('--help')
  const all = [...commands, ...commandsOf(program).filter(({ parent }) => parent !== program)]
  const choices = allOptions(program).filter(({ argChoices }) => argChoices)
  const words = (command) => [...command.commands.map((other) => other.name()), ...argumentChoices(command), ...options(command)].join(' ')
  return `_dashboard_sled () {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      ${commands.map((command) => `' ${command.name()}'`).join('|')}) command=$word ;;
      ${all.filter(({ parent }) => parent !== program).map((command) => quote(fullName(command))).join('|')}) command="$command $word" ;;
    esac
  done
  case $previous in
${choices.map(({ long, argChoices }) => `    ${long}) COMPREPLY=($(compgen -W '${argChoices.join(' ')}' -- "$current")); return ;;\n`).join('')}    ${takingValue(program).join('|')}) COMPREPLY=(); return ;;
  esac
  case $command in
    '') words='${[...commands.map((command) => command.name()), ...options(program)].join(' ')}' ;;
${all.map((command) => `    ${quote(fullName(command))}) words='${words(command)}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _dashboard_sled dashboard-sled
`
}

function zsh (program, commands) {
  const option = ({ long, description, required, argChoices }) => quote(`${long}[${plain(description)}]${required ? `:value:${argChoices ? `(${argChoices.join(' ')})` : '_files'}` : ''}`)
  const all = [...visible(program).map(option), quote('--help[show the help]')]
  const part = (command) => {
    if (command.commands.length) {
      return `      ${command.name()}) _dashboard_sled_${command.name()} ;;`
    }
    const words = argumentChoices(command)
    return `      ${command.name()}) _arguments ${[...visible(command).map(option), ...all, quote(words.length ? `*:value:(${words.join(' ')})` : '*:file:_files')].join(' ')} ;;`
  }
  const choose = (name, commands, options = []) => `${name} () {
  local -a commands
  commands=(${commands.map((command) => quote(`${command.name()}:${plain(command.description())}`)).join(' ')})
  _arguments -C ${[...options, ...all].join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) case $words[1] in
${commands.map(part).join('\n')}
    esac ;;
  esac
}
`
  const groups = commands.filter((command) => command.commands.length)
  return `#compdef dashboard-sled
${groups.map((group) => choose(`_dashboard_sled_${group.name()}`, group.commands, visible(group).map(option))).join('')}${choose('_dashboard_sled', commands)}compdef _dashboard_sled dashboard-sled
`
}

function fish (program, commands) {
  const option = (condition, { long, description, required, argChoices }) => `complete -c dashboard-sled${condition} -l ${long.slice(2)} -d ${quote(plain(description))}${required ? ' -r' : ''}${argChoices ? ` -f -a ${quote(argChoices.join(' '))}` : ''}`
  const names = (list) => list.map((command) => command.name()).join(' ')
  const groups = commands.filter((command) => command.commands.length)
  const name = (condition, command) => `complete -c dashboard-sled -n ${quote(condition)} -f -a ${command.name()} -d ${quote(plain(command.description()))}`
  // A group has commands with the names of others.
  const seen = (command) => command.parent === program
    ? `__fish_seen_subcommand_from ${command.name()}; and not __fish_seen_subcommand_from ${names(groups)}`
    : `__fish_seen_subcommand_from ${command.parent.name()}; and ${isDefault(command) ? `not __fish_seen_subcommand_from ${names(command.parent.commands.filter((other) => other !== command))}` : `__fish_seen_subcommand_from ${command.name()}`}`
  const details = commandsOf(program).flatMap((command) => {
    const inCommand = ` -n ${quote(seen(command))}`
    const words = argumentChoices(command)
    return [
      ...visible(command).map((each) => option(inCommand, each)),
      ...(words.length ? [`complete -c dashboard-sled${inCommand} -f -a ${quote(words.join(' '))}`] : [])
    ]
  })
  return [
    ...visible(program).map((each) => option('', each)),
    ...commands.map((command) => name('__fish_use_subcommand', command)),
    ...groups.flatMap((group) => group.commands.map((command) => name(`__fish_seen_subcommand_from ${group.name()}; and not __fish_seen_subcommand_from ${names(group.commands)}`, command))),
    ...details,
    ''
  ].join('\n')
}

// Returns the options that may follow the name of a command. A group without a further word is its default command.
function visible (command) {
  return (defaultOf(command) || command).options.filter(({ hidden }) => !hidden)
}

function defaultOf (group) {
  return group.commands.find((command) => isDefault(command))
}

function isDefault (command) {
  return command.parent._defaultCommandName === command.name()
}

function allOptions (program) {
  return [program, ...commandsOf(program)].flatMap(visible)
}

// Returns the options whose value is a file or a free word.
function takingValue (program) {
  return [...new Set(allOptions(program).filter(({ required, argChoices }) => required && !argChoices).map(({ long }) => long))]
}

function argumentChoices (command) {
  return command.registeredArguments.flatMap(({ argChoices }) => argChoices || [])
}

// Removes characters that have a meaning in the shells.
function plain (text) {
  return text.replace(/[[\]:]/g, ' ').replace(/\s+/g, ' ').trim()
}

function quote (text) {
  return `'${text.replaceAll("'", "'\\''")}'`
}
