/* eslint-env mocha */
const assert = require('assert')
const { execFileSync, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runTool } = require('./helper.js')
const { onOverlay, skipIf } = require('./overlay.js')

// What a folder of a store has when nothing is left of any work.
const FILES = ['guard', 'lock', 'sled']

describe('restore', () => {
  let folder, store, backup
  beforeEach(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    backup = path.join(folder, 'backup')
    await write(backup, 'a', 'the backup')
    await write(store, 'a', 'the store')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  describe('where a folder cannot be renamed', () => {
    it('the store is replaced, kept and opened', async function () {
      const skipped = await onOverlay(folder, async (merged) => {
        const at = (name) => path.join(merged, name)
        assert.throws(() => fs.renameSync(at('store/sled'), at('store/other')), { code: 'EXDEV' })
        const { replaced } = await addon.restore({ path: at('store'), folder: at('backup') })
        assert.strictEqual(await read(at('store')), 'the backup')
        assert.strictEqual(await read(replaced), 'the store')
        assert.deepStrictEqual(fs.readdirSync(at('store')).sort(), [...FILES, 'replaced-1'].sort())
        // And once more, over what is no longer in the lower layer.
        await addon.restore({ path: at('store'), folder: replaced })
        assert.strictEqual(await read(at('store')), 'the store')
      })
      skipIf(this, skipped)
    })
  })

  it('is undone where a folder can be moved in no way', async function () {
    const sled = path.join(store, 'sled')
    skipIf(this, mount('--bind', sled, sled))
    try {
      assert.strictEqual((await rejection(addon.restore({ path: store, folder: backup }))).code, 'ERR_STORE_IO')
      assert.deepStrictEqual(fs.readdirSync(store).sort(), FILES)
      assert.strictEqual(await read(store), 'the store')
    } finally {
      execFileSync('umount', [sled])
    }
  })
  it('works where the folder of the store is a mount point', async function () {
    skipIf(this, mount('--bind', store, store))
    try {
      const { replaced } = await addon.restore({ path: store, folder: backup })
      assert.strictEqual(path.dirname(replaced), fs.realpathSync(store))
      assert.deepStrictEqual([await read(store), await read(replaced)], ['the backup', 'the store'])
    } finally {
      execFileSync('umount', [store])
    }
  })
  it('store-full before it begins, and nothing is changed', async function () {
    const small = path.join(folder, 'small')
    fs.mkdirSync(small)
    skipIf(this, mount('-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', small))
    try {
      const inSmall = path.join(small, 'store')
      fs.cpSync(store, inSmall, { recursive: true })
      const { bavail, bsize } = fs.statfsSync(small)
      fs.writeFileSync(path.join(small, 'ballast'), Buffer.alloc(bavail * bsize - 5e6))
      const error = await rejection(addon.restore({ path: inSmall, folder: backup }))
      assert.deepStrictEqual([error.code, /^it needs \d+ bytes beside the store at /.test(error.detail)], ['ERR_STORE_FULL', true])
      assert.deepStrictEqual(fs.readdirSync(inSmall).sort(), FILES)
      assert.strictEqual(await read(inSmall), 'the store')
    } finally {
      execFileSync('umount', [small])
    }
  })
  it('what it replaced is counted by stats, and removed by a command', async () => {
    const { diskBytes, replaced, replacedBytes } = await addon.restore({ path: store, folder: backup })
    assert(diskBytes > 1e6 && replacedBytes > 1e6)
    const stats = await runTool(['stats', '--store', store, '--json'])
    assert.strictEqual(JSON.parse(stats.stdout).replacedBytes, replacedBytes)
    assert((await runTool(['stats', '--store', store])).stdout.includes(`\n${replacedBytes} bytes in stores that restores have replaced; `))
    const { code, stdout } = await runTool(['remove-replaced', '--store', store, '--json'])
    assert.deepStrictEqual([code, JSON.parse(stdout)], [0, { removed: [replaced], bytes: replacedBytes }])
    assert.deepStrictEqual(fs.readdirSync(store).sort(), FILES)
    assert.strictEqual(await read(store), 'the backup')
  })
  it('that was interrupted is finished by the next open, which says so', async function () {
    if (spawnSync('strace', ['-V']).error) {
      skipIf(this, 'strace is missing')
    }
    // Behind the copy's guard, the plan and two of its steps.
    const tool = path.join(__dirname, '..', 'bin', 'dashboard-sled.js')
    const inject = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e', 'inject=rename:signal=KILL:when=5']
    const { signal } = spawnSync('strace', [...inject, process.execPath, tool, 'restore', backup, '--store', store])
    assert.strictEqual(signal, 'SIGKILL')
    assert(fs.existsSync(path.join(store, 'swap')))
    const { code, stderr } = await runTool(['verify', '--store', store])
    assert.deepStrictEqual([code, /a restore of .* that was interrupted was finished/.test(stderr)], [0, true], stderr)
    assert.strictEqual(await read(store), 'the backup')
    assert.strictEqual(await read(path.join(store, 'replaced-1')), 'the store')
  })
  it('that was interrupted in an empty folder leaves no empty store to an open', async () => {
    const target = path.join(folder, 'new')
    fs.mkdirSync(path.join(target, 'restoring'), { recursive: true })
    assert.strictEqual((await rejection(addon.open({ path: target }))).code, 'ERR_STORE_FOREIGN')
    assert.strictEqual((await addon.restore({ path: target, folder: backup })).replaced, null)
    assert.strictEqual(await read(target), 'the backup')
  })

  function mount (...args) {
    try {
      execFileSync('mount', args, { stdio: 'ignore' })
    } catch (error) {
      return `nothing can be mounted: ${error.message}`
    }
  }

  async function write (folder, record, contents) {
    const store = await addon.open({ path: folder })
    await store.storage.write(record, contents)
    await store.close()
  }

  async function read (folder) {
    const store = await addon.open({ path: folder })
    const contents = await store.storage.read('a')
    await store.close()
    return contents
  }
}).timeout(20000)
