// The commands of the tool, for tests that try each of them.
const assert = require('assert')
const { makeProgram } = require('../../lib/cli/program.js')

module.exports = { assertAllCommands }

// Fails if a command is missing in a test: `lines` are the command lines that it runs, `others` the commands that it leaves out.
function assertAllCommands (lines, others) {
  const names = lines.map((line) => line.split(' ')[0])
  assert.deepStrictEqual([...new Set([...names, ...others])].sort(), makeProgram().commands.map((command) => command.name()).sort())
}
