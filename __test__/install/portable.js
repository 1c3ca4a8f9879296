// The binary for Linux with glibc on x64 as it is released: linked by zig, which comes from PyPI, against an old glibc.
const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { run } = require('./run-command.js')

const root = path.join(__dirname, '..', '..')
const requirements = path.join(root, '.ci', 'requirements.txt')
const zig = path.join(root, 'target', 'tools', 'zig')
const target = 'x86_64-unknown-linux-gnu'
const glibc = '2.17'

module.exports = { build, installZig, listPaths, listSymbols, newestGlibc, glibc, target }

// False where PyPI is out of reach.
async function installZig () {
  const installed = path.join(zig, 'requirements.txt')
  if (fs.existsSync(installed) && fs.readFileSync(installed).equals(fs.readFileSync(requirements))) {
    return true
  }
  console.log('   installing zig from PyPI')
  await run('python3', ['-m', 'venv', '--clear', zig])
  try {
    await run(path.join(zig, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
  } catch (error) {
    // A version that does not exist is a mistake of ours, as long as pip has reached the index.
    if (/Connection|Max retries|Temporary failure|[Tt]imed? ?out/.test(error.output)) {
      return false
    }
    throw error
  }
  fs.copyFileSync(requirements, installed)
  return true
}

// In cargo's own target folder, so that what has not changed is not built again.
async function build (folder, { portable }) {
  const options = portable ? ['-x', '--target', `${target}.${glibc}`] : []
  await run('npm', ['run', 'build', '--', ...options, '--output-dir', folder], {
    cwd: root,
    env: { ...process.env, PATH: `${path.join(zig, 'bin')}${path.delimiter}${process.env.PATH}` }
  })
}

// The newest version of glibc that any symbol of the binary asks for.
function newestGlibc (binary) {
  const versions = [...listSymbols(binary).matchAll(/GLIBC_([0-9.]+)/g)].map((match) => match[1])
  return versions.sort(compareVersions).pop()
}

// The symbols that the binary asks for or gives, a line each.
function listSymbols (binary) {
  const { status, stdout, stderr } = spawnSync('objdump', ['-T', binary], { encoding: 'utf8' })
  if (status !== 0 || !stdout.includes('GLIBC_')) {
    throw new Error(`objdump found no symbols of glibc in ${binary}: ${stderr}`)
  }
  return stdout
}

// Paths of the machine that built the binary, in messages of panics above all.
function listPaths (binary) {
  const folders = [root, os.homedir(), process.env.CARGO_HOME, process.env.RUSTUP_HOME].filter(Boolean)
  const text = fs.readFileSync(binary, 'latin1')
  if (!text.includes('/registry/src/')) {
    throw new Error(`${binary} names no source file of a dependency, so the search for paths proves nothing`)
  }
  return [...text.matchAll(/[\x21-\x7e]{4,}/g)].map(([word]) => word)
    .filter((word) => word.includes('/.cargo/') || word.includes('/.rustup/') || folders.some((folder) => word.includes(`${folder}/`)))
}

function compareVersions (one, other) {
  return one.localeCompare(other, 'en', { numeric: true })
}
