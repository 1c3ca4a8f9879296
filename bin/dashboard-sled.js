#!/usr/bin/env node
// The command-line tool, over the public API. Exit codes: 0 done; 1 it failed, or something is wrong with what was
// looked at; 2 it was used wrongly.
const { Command } = require('commander')
const path = require('path')
const { version } = require('../package.json')

const program = new Command('dashboard-sled')
  .description('Looks after a store of dashboard-sled. Stop the dashboard first: a store belongs to one process at a time.')
  .version(version)
  .option('--store <folder>', 'the folder of the store', process.env.SLED_PATH || path.join('data', 'dashboard.sled'))
  .option('--json', 'print one line of JSON instead of text')
  .exitOverride((error) => process.exit(error.exitCode ? 2 : 0))

try {
  for (const name of ['verify', 'backup', 'restore', 'remove-replaced', 'recover', 'export', 'import', 'purge', 'compact', 'stats', 'inspect', 'list']) {
    require(`../src/command/${name}.js`)(program)
  }
  program.parseAsync()
} catch (error) {
  if (!['ERR_BINARY_MISMATCH', 'ERR_PLATFORM_UNSUPPORTED'].includes(error.code)) {
    throw error
  }
  console.error(`${error.message}: ${error.detail}`)
  process.exitCode = 1
}
