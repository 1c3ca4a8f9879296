// The commands of the program. `sessions` and `audit` are groups, which only hold others.

module.exports = { commandsOf, fullName, programOf }

// Returns the commands that do something, in the order of the help.
function commandsOf (program) {
  return program.commands.flatMap((command) => command.commands.length ? command.commands : [command])
}

// Returns the name as it is typed: `sessions list`.
function fullName (command) {
  const { parent } = command
  return parent.parent ? `${parent.name()} ${command.name()}` : command.name()
}

function programOf (command) {
  return command.parent ? programOf(command.parent) : command
}
