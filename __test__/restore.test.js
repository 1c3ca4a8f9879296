/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runTool, tool } = require('./helper.js')
const { mount, onOverlay, skipIf, unmount } = require('./helpers/mount.js')

// Files of a store in which nothing is left of an interrupted command.
const FILES = ['guard', 'lock', 'sled']

const noStrace = spawnSync('strace', ['-V']).error && 'strace is missing'

describe('restore', function () {
  this.timeout(60000)
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
        // Once more, now that the files are no longer in the lower layer.
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
      unmount(sled)
    }
  })
  it('works where the folder of the store is a mount point', async function () {
    skipIf(this, mount('--bind', store, store))
    try {
      const { replaced } = await addon.restore({ path: store, folder: backup })
      assert.strictEqual(path.dirname(replaced), fs.realpathSync(store))
      assert.deepStrictEqual([await read(store), await read(replaced)], ['the backup', 'the store'])
    } finally {
      unmount(store)
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
      unmount(small)
    }
  })
  it('what it replaced is counted by stats, and removed by a command', async () => {
    const { diskBytes, replaced, replacedBytes } = await addon.restore({ path: store, folder: backup })
    assert(diskBytes > 1e6 && replacedBytes > 1e6)
    const stats = await runTool(['stats', '--store', store, '--json'])
    assert.strictEqual(JSON.parse(stats.stdout).replacedBytes, replacedBytes)
    assert((await runTool(['stats', '--store', store])).stderr.includes(`\n${(replacedBytes / 1e6).toFixed(1)} MB in stores that restores have replaced; `))
    const { code, stdout } = await runTool(['remove-replaced', '--store', store, '--json'])
    assert.deepStrictEqual([code, JSON.parse(stdout)], [0, { store, removed: [replaced], bytes: replacedBytes }])
    assert.deepStrictEqual(fs.readdirSync(store).sort(), FILES)
    assert.strictEqual(await read(store), 'the backup')
  })
  it('that was interrupted is finished by the next open, which says so', async function () {
    skipIf(this, noStrace)
    // Behind the copy's guard, the plan and two of its steps.
    const { signal } = killAtRename(store, 5)
    assert.strictEqual(signal, 'SIGKILL')
    assert(fs.existsSync(path.join(store, 'swap')))
    const { code, stderr } = await runTool(['verify', '--store', store])
    assert.deepStrictEqual([code, /a restore of .* that was interrupted was finished/.test(stderr)], [0, true], stderr)
    assert.strictEqual(await read(store), 'the backup')
    assert.strictEqual(await read(path.join(store, 'replaced-1')), 'the store')
  })
  describe('that was killed in an empty folder while it copied', () => {
    cutShort((target) => kill(target, ['-P', path.join(target, 'restoring', 'guard'), '-e', 'inject=openat:signal=KILL:when=1']), ['lock', 'restoring'])
  })
  describe('that was killed in an empty folder before there was a plan', () => {
    cutShort((target) => killAtRename(target, 2), ['lock', 'restoring', 'swap.new'])
  })

  function cutShort (killIn, left) {
    let target
    beforeEach(function () {
      skipIf(this, noStrace)
      target = path.join(folder, 'new')
      const { signal } = killIn(target)
      assert.strictEqual(signal, 'SIGKILL')
      assert.deepStrictEqual(fs.readdirSync(target).sort(), left)
    })

    it('store-unfinished-copy for an open, which changes nothing and says what to do', async () => {
      for (const create of [true, false]) {
        const { message, code, detail } = await rejection(addon.open({ path: target, create }))
        assert.deepStrictEqual([message, code], ['store-unfinished-copy', 'ERR_STORE_UNFINISHED'])
        assert(detail.includes(target) && detail.includes('run it again (npx dashboard-sled restore)'), detail)
      }
      assert.deepStrictEqual(fs.readdirSync(target).sort(), left)
    })
    it('store-unfinished-copy for a backup into it', async () => {
      const opened = await addon.open({ path: store })
      assert.strictEqual((await rejection(opened.backup(target))).code, 'ERR_STORE_UNFINISHED')
      await opened.close()
    })
    it('is done by another restore', async () => {
      assert.strictEqual((await addon.restore({ path: target, folder: backup })).replaced, null)
      assert.strictEqual(await read(target), 'the backup')
      assert.deepStrictEqual(fs.readdirSync(target).sort(), FILES)
    })
  }
  it('leaves a folder of others as it is, also what is named like its own work', async () => {
    const target = path.join(folder, 'others')
    fs.mkdirSync(path.join(target, 'restoring'), { recursive: true })
    fs.writeFileSync(path.join(target, 'notes'), '')
    assert.strictEqual((await rejection(addon.restore({ path: target, folder: backup }))).code, 'ERR_STORE_FOREIGN')
    assert.deepStrictEqual(fs.readdirSync(target).filter((name) => name !== 'lock').sort(), ['notes', 'restoring'])
  })
  for (const bytes of [0, 22, 23, 24]) {
    it(`of which the plan is damaged (${bytes} bytes): nothing is changed, and the store can be put together`, async function () {
      skipIf(this, noStrace)
      const { signal } = killAtRename(store, 5)
      assert.strictEqual(signal, 'SIGKILL')
      const plan = path.join(store, 'swap')
      const damaged = Buffer.concat([fs.readFileSync(plan), Buffer.alloc(1)]).subarray(0, bytes)
      bytes === 23 && (damaged[18] ^= 1)
      fs.writeFileSync(plan, damaged)
      const before = fs.readdirSync(store, { recursive: true })
      const tries = [() => addon.open({ path: store }), () => addon.open({ path: store, create: false }), () => addon.restore({ path: store, folder: backup })]
      for (const attempt of tries) {
        const { message, code, detail } = await rejection(attempt())
        assert.deepStrictEqual([message, code], ['store-damaged', 'ERR_STORE_DAMAGED'])
        assert(detail.includes(store) && detail.includes('its file swap') && detail.includes('rename that folder and restore a backup'), detail)
      }
      assert.deepStrictEqual(fs.readdirSync(store, { recursive: true }), before)
      // As docs/operations.md says.
      const whole = ['restoring', '.', 'replaced-1'].map((name) => path.join(store, name)).find((at) => ['guard', 'sled'].every((name) => fs.existsSync(path.join(at, name))))
      const made = path.join(folder, 'made')
      fs.mkdirSync(made)
      for (const name of ['guard', 'sled']) {
        fs.cpSync(path.join(whole, name), path.join(made, name), { recursive: true })
      }
      assert(['the store', 'the backup'].includes(await read(made)))
      fs.renameSync(store, `${store}-damaged`)
      await addon.restore({ path: store, folder: backup })
      assert.strictEqual(await read(store), 'the backup')
    })
  }

  // Restores the backup into a folder, and is killed at one of the renames.
  function killAtRename (target, number) {
    return kill(target, ['-e', 'trace=rename', '-e', `inject=rename:signal=KILL:when=${number}`])
  }

  function kill (target, inject) {
    return spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, tool, 'restore', backup, '--yes', '--store', target])
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
})
