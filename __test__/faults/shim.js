// Compiles the shims that are preloaded into a process.
const { spawnSync } = require('child_process')
const path = require('path')

module.exports = { compile }

// The shared library made of a C file of the fixtures, or undefined where that cannot be done.
function compile (name, folder) {
  if (process.platform !== 'linux') {
    return
  }
  const library = path.join(folder, `${name}.so`)
  const source = path.join(__dirname, 'fixtures', `${name}.c`)
  const made = spawnSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl', '-pthread'], { encoding: 'utf8', timeout: 60000 })
  if (made.error && made.error.code === 'ENOENT') {
    return
  }
  if (made.status !== 0) {
    throw new Error(`gcc: ${made.stderr}`)
  }
  return library
}
