#!/usr/bin/env node
// The command-line tool, over the public API.

// Write errors reach the caller of each write, therefore the events are ignored.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

try {
  const { makeProgram } = require('../lib/cli/program.js')
  makeProgram().parseAsync()
} catch (error) {
  if (!['ERR_BINARY_MISMATCH', 'ERR_PLATFORM_UNSUPPORTED'].includes(error.code)) {
    throw error
  }
  console.error(`${error.message}: ${error.detail}`)
  process.exitCode = 1
}
