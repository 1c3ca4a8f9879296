// The addon under the address sanitizer inside Node, for the tests of this project. Needs a nightly toolchain.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..', '..')
const target = 'x86_64-unknown-linux-gnu'
const folder = path.join(root, 'target', 'asan')
// Left out: tests of ended or stopped processes, of other programs and servers (which do not start with the sanitizer preloaded),
// of texts, and of times of all of Dashboard, because the sanitizer finds nothing there.
const left = [
  'backup-keep', 'bench', 'circles', 'command-line', 'compact', 'confirmation', 'control-socket', 'dashboard', 'document-commands',
  'documents', 'english', 'events', 'events-document', 'examples', 'export-output', 'failed-commit', 'import-all-sources', 'import-command', 'import-files', 'import-migration-guide',
  'import-mongodb', 'import-redis', 'import-servers', 'import-sql', 'import-tls', 'inspect', 'invalid-path', 'layers', 'manual',
  'npm-start', 'pages', 'platform', 'process-end', 'progress', 'readme', 'running-dashboard', 'stats', 'suspended-process', 'watch', 'webhooks'
]
// Memory use differs under a sanitizer.
const leftTests = ['--grep', 'holds only a few entries at a time|takes less than three times its size', '--invert']
const fault = 'the address sanitizer, for the tests of this project'

module.exports = { run }

async function run () {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return [{ fault, skipped: 'it is set up for Linux on x64 alone' }]
  }
  if (call('cargo', ['+nightly', '--version']).status !== 0) {
    return [{ fault, skipped: 'there is no nightly toolchain of Rust' }]
  }
  const sanitizer = call('gcc', ['-print-file-name=libasan.so']).stdout.trim()
  if (!path.isAbsolute(sanitizer)) {
    return [{ fault, skipped: 'gcc has no address sanitizer' }]
  }
  const built = call('cargo', ['+nightly', 'build', '--locked', '--lib', '--target', target, '--target-dir', folder], { RUSTFLAGS: '-Zsanitizer=address -Zexternal-clangrt' })
  if (built.status !== 0) {
    throw new Error(`the sanitized build failed: ${built.stderr.slice(-2000)}`)
  }
  const debug = path.join(folder, target, 'debug')
  const addon = path.join(debug, 'dashboard-sled.node')
  fs.copyFileSync(path.join(debug, 'libdashboard_sled.so'), addon)
  const files = fs.readdirSync(path.join(root, '__test__')).filter((file) => file.endsWith('.test.js') && !left.includes(file.replace('.test.js', '')))
  const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
  const args = [mocha, '--exit', '--timeout', '120000', '--reporter', 'dot', ...leftTests, ...files.map((file) => path.join('__test__', file))]
  const tested = call(process.execPath, args, {
    ASAN_OPTIONS: 'detect_leaks=0',
    LD_PRELOAD: sanitizer,
    NAPI_RS_NATIVE_LIBRARY_PATH: addon,
    RACES: '20',
    RUNS: '30',
    STATES: '2000'
  })
  const passed = Number((/(\d+) passing/.exec(tested.stdout) || [])[1] || 0)
  const failed = Number((/(\d+) failing/.exec(tested.stdout) || [])[1] || 0)
  const found = /AddressSanitizer/.test(tested.stdout + tested.stderr) ? 1 : 0
  if (tested.status !== 0 || failed || found) {
    console.error(tested.stdout.slice(-3000), tested.stderr.slice(-3000))
  }
  return [{ fault, tried: passed + failed, lost: failed + found + (tested.status === 0 ? 0 : 1) }]
}

function call (command, args, env = {}) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 1 << 28, timeout: 15 * 60 * 1000 })
}
