/* eslint-env mocha */
const assert = require('assert')
const { execFileSync, spawn, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, runTool, tool } = require('./helper.js')

describe('export --output', function () {
  this.timeout(60000)
  let folder, store, whole
  beforeEach(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    const opened = await addon.open({ path: store })
    await opened.storage.write('record', 'contents')
    await opened.close()
    whole = (await runTool(['export', '--store', store])).stdout
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('a new file is for its owner alone', async () => {
    const file = path.join(folder, 'file')
    assert.strictEqual((await exportTo(file)).code, 0)
    assert.deepStrictEqual([fs.readFileSync(file, 'utf8'), fs.statSync(file).mode & 0o777], [whole, 0o600])
    assertNoParts()
  })
  it('follows a link, and replaces the file behind it', async () => {
    const [file, link] = [path.join(folder, 'elsewhere', 'file'), path.join(folder, 'link')]
    fs.mkdirSync(path.dirname(file))
    fs.writeFileSync(file, 'before')
    fs.symlinkSync(file, link)
    assert.strictEqual((await exportTo(link)).code, 0)
    assert(fs.lstatSync(link).isSymbolicLink())
    assert.strictEqual(fs.readFileSync(file, 'utf8'), whole)
  })
  it('refuses a link that leads nowhere, and a folder', async () => {
    const link = path.join(folder, 'link')
    fs.symlinkSync('nowhere', link)
    for (const [target, sentence] of [[link, `${link} is a symbolic link to nowhere, which does not exist`], [folder, `${folder} is a folder; name a file`], [path.join(folder, 'missing', 'x'), `there is no folder ${path.join(folder, 'missing')}`]]) {
      const { code, stderr } = await exportTo(target)
      assert.deepStrictEqual([code, stderr], [1, `file-failed: ${sentence}\n`])
    }
    assertNoParts()
  })
  it('writes into a named pipe, which stays one', async () => {
    const pipe = path.join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = spawn('cat', [pipe])
    let read = ''
    reader.stdout.on('data', (data) => { read += data })
    const ended = new Promise((resolve) => reader.on('close', resolve))
    assert.strictEqual((await exportTo(pipe)).code, 0)
    await ended
    assert.strictEqual(read, whole)
    assert(fs.statSync(pipe).isFIFO())
  })
  it('writes into a device, which stays one', async function () {
    const device = path.join(folder, 'null')
    if (spawnSync('mknod', ['-m', '666', device, 'c', '1', '3']).status !== 0) {
      return this.skip()
    }
    const before = fs.statSync(device)
    const { code, stderr } = await exportTo(device)
    // Some containers do not let a device be used.
    assert(code === 0 || stderr.startsWith('not-permitted: '), stderr)
    const after = fs.statSync(device)
    assert.deepStrictEqual([after.isCharacterDevice(), after.ino, after.mode], [true, before.ino, before.mode])
  })
  it('a link to the standard output is the standard output', async () => {
    // A link like /dev/stdout, so that the one of this machine is not put at risk.
    const link = path.join(folder, 'stdout')
    fs.symlinkSync('/proc/self/fd/1', link)
    for (const into of ['cat', `cat > ${path.join(folder, 'file')}`]) {
      const { stdout, status } = spawnSync('bash', ['-o', 'pipefail', '-c', `"${process.execPath}" "${tool}" export --output "${link}" --store "${store}" | ${into}`], { encoding: 'utf8' })
      assert.strictEqual(status, 0)
      assert.strictEqual(into === 'cat' ? stdout : fs.readFileSync(path.join(folder, 'file'), 'utf8'), whole)
    }
    const { stdout } = await exportTo(link)
    assert.strictEqual(stdout, whole)
    assert(fs.lstatSync(link).isSymbolicLink())
  })
  it('does not use a file that another user may have prepared', async () => {
    const file = path.join(folder, 'file')
    const prepared = `${file}.part`
    fs.writeFileSync(prepared, '', { mode: 0o666 })
    const held = fs.openSync(prepared, 'r')
    assert.strictEqual((await exportTo(file)).code, 0)
    assert.strictEqual(fs.readFileSync(held).length, 0)
    fs.closeSync(held)
    assert.strictEqual(fs.readFileSync(file, 'utf8'), whole)
    // Other files stay.
    assert(fs.existsSync(prepared))
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    it(`leaves nothing behind after ${signal}`, async () => {
      const opened = await addon.open({ path: store })
      await opened.load(Array.from({ length: 400 }, (_, i) => ({ record: `large/${i}`, contents: Buffer.alloc(200000, i) })))
      await opened.close()
      const file = path.join(folder, 'file')
      fs.writeFileSync(file, 'before')
      const parts = []
      await runTool(['export', '--output', file, '--store', store], {
        meanwhile: (child) => {
          const timer = setInterval(() => {
            const part = fs.readdirSync(folder).find((name) => name.endsWith('.part'))
            if (part && fs.statSync(path.join(folder, part)).size) {
              clearInterval(timer)
              parts.push([part, fs.statSync(path.join(folder, part)).mode & 0o777])
              child.kill(signal)
            }
          }, 1)
          child.on('exit', () => clearInterval(timer))
        }
      })
      assert.match(parts[0][0], /^file\.[0-9a-f]{16}\.part$/)
      assert.strictEqual(parts[0][1], 0o600)
      assert.strictEqual(fs.readFileSync(file, 'utf8'), 'before')
      assertNoParts()
    })
  }

  function exportTo (file) {
    return runTool(['export', '--output', file, '--store', store])
  }

  function assertNoParts () {
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.endsWith('.part')), [])
  }
})
