// `npm run build`: the native binary as it is released, without a path of the machine that builds it.
//
// The compiler writes the paths of source files into panics' messages. Cargo's own `trim-paths` is not stable yet.
const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')

const root = path.join(__dirname, '..')

// RUSTFLAGS hides those of the configuration, so they go along.
function flags () {
  const config = fs.readFileSync(path.join(root, '.cargo', 'config.toml'), 'utf8')
  const ours = JSON.parse(/^rustflags = (\[.*\])$/m.exec(config)[1])
  const folders = {
    [root]: 'dashboard-sled',
    [process.env.CARGO_HOME || path.join(os.homedir(), '.cargo')]: 'cargo',
    [process.env.RUSTUP_HOME || path.join(os.homedir(), '.rustup')]: 'rustup'
  }
  const remaps = Object.entries(folders).map(([from, to]) => `--remap-path-prefix=${path.resolve(from)}=/${to}`)
  // Cargo divides RUSTFLAGS at spaces.
  const [usable, others] = [remaps.filter((flag) => !flag.includes(' ')), remaps.filter((flag) => flag.includes(' '))]
  if (others.length) {
    console.warn(`the binary will hold paths of this machine, since they have a space: ${others.join(', ')}`)
  }
  return [process.env.RUSTFLAGS, ...ours, ...usable].filter(Boolean).join(' ')
}

const napi = path.join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
const { status } = spawnSync(process.execPath, [napi, 'build', '--platform', '--release', '--no-const-enum',
  '--js', 'native.js', '--dts', 'native.d.ts', ...process.argv.slice(2)], { cwd: root, env: { ...process.env, RUSTFLAGS: flags() }, stdio: 'inherit' })
process.exitCode = status === null ? 1 : status
