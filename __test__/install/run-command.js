// Runs a command to its end; resolves to what it wrote, and rejects with that if it fails.
const { spawn } = require('child_process')

const limitMs = 10 * 60 * 1000

module.exports = { run }

function run (command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs, ...options })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => { output += data })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) {
        return resolve(output)
      }
      const error = new Error(`${command} ${args.join(' ')} ended with ${signal || code}:\n${output}`)
      reject(Object.assign(error, { output }))
    })
  })
}
