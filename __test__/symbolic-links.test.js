/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection } = require('./helper.js')

// A link in a store would let the owner of the folder choose which file is written to.
describe('symbolic links within a store', function () {
  let folder, store, victim
  before(function () {
    if (process.platform === 'win32') {
      this.skip()
    }
  })
  beforeEach(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    victim = path.join(folder, 'victim')
    await (await addon.open({ path: store })).close()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const name of ['lock', 'guard', 'guard.new', 'sled/conf', 'sled/db', 'sled/journal', 'sled/snap.1']) {
    it(`${name}: refused, and what it names stays as it is`, async () => {
      const file = path.join(store, name)
      fs.existsSync(file) ? fs.renameSync(file, victim) : fs.writeFileSync(victim, 'contents')
      fs.chmodSync(victim, 0o644)
      const before = fs.readFileSync(victim)
      fs.symlinkSync(victim, file)
      assertRefused(await rejection(addon.open({ path: store })), file)
      assert(fs.readFileSync(victim).equals(before))
      assert.strictEqual(fs.statSync(victim).mode & 0o777, 0o644)
      assert(fs.lstatSync(file).isSymbolicLink())
    })
  }

  it('sled: refused', async () => {
    fs.renameSync(path.join(store, 'sled'), victim)
    fs.symlinkSync(victim, path.join(store, 'sled'))
    assertRefused(await rejection(addon.open({ path: store })), path.join(store, 'sled'))
  })

  for (const name of ['lock', 'guard.new', 'sled']) {
    it(`${name} in a folder that holds no store yet: refused as a store, and as the target of a backup or a restore`, async () => {
      const target = path.join(folder, 'target')
      fs.mkdirSync(target)
      name === 'sled' ? fs.mkdirSync(victim) : fs.writeFileSync(victim, 'contents')
      fs.symlinkSync(victim, path.join(target, name))
      const opened = await addon.open({ path: store })
      assertRefused(await rejection(opened.backup(target)), path.join(target, name))
      await opened.close()
      assertRefused(await rejection(addon.open({ path: target })), path.join(target, name))
      assertRefused(await rejection(addon.restore({ folder: store, path: target })), path.join(target, name))
      assert.deepStrictEqual(fs.readdirSync(target), [name])
      assert.deepStrictEqual(name === 'sled' ? fs.readdirSync(victim) : fs.readFileSync(victim, 'utf8'), name === 'sled' ? [] : 'contents')
    })
  }

  it('a pipe under the name of a file: refused, and not waited for', async () => {
    for (const name of ['lock', 'guard', 'sled/conf']) {
      const file = path.join(store, name)
      fs.renameSync(file, victim)
      execFileSync('mkfifo', [file])
      assertRefused(await rejection(addon.open({ path: store })), file)
      fs.renameSync(victim, file)
    }
    await (await addon.open({ path: store })).close()
  })

  it('the folder itself may be one', async () => {
    const link = path.join(folder, 'link')
    fs.symlinkSync(store, link)
    const opened = await addon.open({ path: link })
    assert.strictEqual(opened.path, fs.realpathSync(store))
    await opened.close()
  })

  function assertRefused (error, file) {
    assert.deepStrictEqual([error.message, error.code], ['store-foreign-folder', 'ERR_STORE_FOREIGN'], error.detail)
    assert(error.detail.includes(file), error.detail)
  }
})
