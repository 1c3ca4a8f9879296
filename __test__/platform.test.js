/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { makeFolder } = require('./helper.js')

const { version } = require('../package.json')
const root = path.join(__dirname, '..')
const platforms = [
  'linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl',
  'darwin-x64', 'darwin-arm64', 'win32-x64-msvc', 'win32-arm64-msvc'
]

describe('platform-unsupported', () => {
  let folder
  // The package as npm leaves it where the package of the platform is missing.
  beforeEach(() => {
    folder = makeFolder()
    for (const file of ['index.js', 'native.js', 'package.json', 'lib']) {
      fs.cpSync(path.join(root, file), path.join(folder, file), { recursive: true })
    }
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('names the platform, those that there are, and how to build', () => {
    const { code, message, detail } = load({ platform: 'sunos', arch: 'sparc' })
    assert.strictEqual(message, 'platform-unsupported')
    assert.strictEqual(code, 'ERR_PLATFORM_UNSUPPORTED')
    assert(detail.startsWith('there is no binary for sunos-sparc; '), detail)
    assert(detail.includes(`there are binaries for ${platforms.join(', ')}; `), detail)
    assert(detail.includes('run npm ci and npm run build'), detail)
  })
  it('an architecture that there is no binary for', () => {
    for (const [platform, arch] of [['linux', 'riscv64'], ['darwin', 'ia32'], ['win32', 'ia32']]) {
      assert.match(load({ platform, arch }).detail, new RegExp(`^there is no binary for ${platform}-${arch}(-gnu|-musl|-msvc)?; `))
    }
  })
  it('a package that npm has left out', () => {
    for (const [platform, arch, name] of [['darwin', 'arm64', 'darwin-arm64'], ['win32', 'x64', 'win32-x64-msvc']]) {
      const { code, detail } = load({ platform, arch })
      assert.strictEqual(code, 'ERR_PLATFORM_UNSUPPORTED')
      assert(detail.startsWith(`the package dashboard-sled-${name} with the binary for this platform is missing, `), detail)
      assert(detail.includes('remove node_modules and package-lock.json, and run npm install; '), detail)
    }
  })
  it('is reported by the command-line tool', () => {
    fs.cpSync(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true })
    const env = { ...process.env, NODE_PATH: path.join(root, 'node_modules') }
    const { status, stderr } = spawnSync(process.execPath, [path.join(folder, 'bin', 'dashboard-sled.js'), 'verify'], { env, encoding: 'utf8' })
    assert.match(stderr, /^platform-unsupported: the package dashboard-sled-\S+ with the binary for this platform is missing, .*\n$/)
    assert.strictEqual(status, 1)
  })
  it('a binary that does not load', () => {
    fs.writeFileSync(path.join(folder, 'dashboard-sled.darwin-arm64.node'), 'no binary')
    const { code, detail } = load({ platform: 'darwin', arch: 'arm64' })
    assert.strictEqual(code, 'ERR_PLATFORM_UNSUPPORTED')
    assert.match(detail, /^the binary for darwin-arm64 cannot be loaded \(.*dashboard-sled\.darwin-arm64\.node: .*\); /)
  })
  it('every platform is built and tried by the release', () => {
    const { napi } = require('../package.json')
    const workflow = fs.readFileSync(path.join(root, '.github', 'workflows', 'release.yml'), 'utf8')
    assert.strictEqual(napi.targets.length, platforms.length)
    for (const target of napi.targets) {
      const lines = workflow.split('\n').filter((line) => line.includes(`- { target: ${target}, `))
      assert.strictEqual(lines.length, 2, target)
    }
  })
  it('is in the way of everything that needs the binary', () => {
    const lib = path.join(root, 'lib')
    const direct = fs.readdirSync(lib, { recursive: true }).filter((file) => {
      const required = file.endsWith('.js') && /require\('(\.[./]*\/native\.js)'\)/.exec(fs.readFileSync(path.join(lib, file), 'utf8'))
      return required && path.resolve(lib, path.dirname(file), required[1]) === path.join(root, 'native.js')
    })
    assert.deepStrictEqual(direct, ['native.js'])
  })
  it('is what a user reads', () => {
    const { status, stderr } = run("require('./index.js')", { platform: 'sunos', arch: 'sparc' })
    assert.strictEqual(status, 1)
    assert(stderr.includes('Error: platform-unsupported\n'), stderr)
    assert(stderr.includes("detail: 'there is no binary for sunos-sparc; "), stderr)
  })

  function load (platform) {
    const { stdout, stderr } = run("try { require('./index.js') } catch ({ code, message, detail }) { console.log(JSON.stringify({ code, message, detail })) }", platform)
    assert(stdout, `it was loaded: ${stderr}`)
    return JSON.parse(stdout)
  }

  function run (script, platform) {
    const pretend = `Object.defineProperties(process, { platform: { value: '${platform.platform}' }, arch: { value: '${platform.arch}' } })`
    return spawnSync(process.execPath, ['-e', `${pretend}\n${script}`], { cwd: folder, encoding: 'utf8' })
  }
})

describe('binary-mismatch', () => {
  let folder
  // The package with a binary, as npm leaves it where a lock file mixes two versions.
  beforeEach(() => {
    folder = makeFolder()
    for (const file of ['bin', 'index.js', 'package.json', 'lib']) {
      fs.cpSync(path.join(root, file), path.join(folder, file), { recursive: true })
    }
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const [title, members, words] of [
    ['another version', "{ VERSION: '0.0.9' }", `the binary is of version 0.0.9, and the package dashboard-sled is ${version}: `],
    ['one from before versions were compared', '{}', `the binary is of an earlier version, and the package dashboard-sled is ${version}: `]
  ]) {
    it(title, () => {
      fs.writeFileSync(path.join(folder, 'native.js'), `module.exports = ${members}`)
      const { stdout } = spawnSync(process.execPath, ['-e', "try { require('./index.js') } catch ({ code, message, detail }) { console.log(JSON.stringify({ code, message, detail })) }"], { cwd: folder, encoding: 'utf8' })
      const { code, message, detail } = JSON.parse(stdout)
      assert.deepStrictEqual([code, message], ['ERR_BINARY_MISMATCH', 'binary-mismatch'])
      assert(detail.startsWith(words), detail)
      assert(detail.includes('run npm install') && detail.includes('npm run build'), detail)
      const tool = spawnSync(process.execPath, [path.join(folder, 'bin', 'dashboard-sled.js'), 'verify'], { env: { ...process.env, NODE_PATH: path.join(root, 'node_modules') }, encoding: 'utf8' })
      assert.match(tool.stderr, /^binary-mismatch: the binary is of .*\n$/)
      assert.strictEqual(tool.status, 1)
    })
  }
  it('the real binary tells its version', () => {
    assert.strictEqual(require('../native.js').VERSION, version)
  })
})
