/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const addon = require('../index.js')
const { defaultCacheMB, settings } = require('../lib/settings.js')
const { makeFolder, rejection, useStore } = require('./helper.js')

describe('settings', () => {
  const store = useStore()

  describe('SLED_PATH', () => {
    it('default data/dashboard.sled under the application path', async () => {
      delete process.env.SLED_PATH
      const applicationPath = global.applicationPath
      global.applicationPath = makeFolder()
      const storage = await addon.Storage.setup()
      await storage.close()
      assert(fs.existsSync(path.join(global.applicationPath, 'data', 'dashboard.sled', 'guard')))
      fs.rmSync(global.applicationPath, { recursive: true })
      global.applicationPath = applicationPath
    })
    it('makes the folder for its owner alone', async () => {
      const folder = path.join(store.folder, 'store')
      assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
      assert.strictEqual(fs.statSync(path.join(folder, 'sled')).mode & 0o777, 0o700)
      for (const file of ['lock', 'guard', 'sled/db', 'sled/conf']) {
        assert.strictEqual(fs.statSync(path.join(folder, file)).mode & 0o777, 0o600, file)
      }
    })
    it('is one store however often and however it is named', async () => {
      const again = await addon.Storage.setup()
      await store.storage.write('file', 'contents')
      assert.strictEqual(await again.read('file'), 'contents')
      process.env.SLED_PATH = path.join(store.folder, 'other', '..', 'store')
      assert.strictEqual(await (await addon.Storage.setup()).read('file'), 'contents')
    })
  })

  it('one of the module that is invalid stops the start, if the module is listed', async () => {
    const before = global.packageJSON
    process.env.SESSION_IDLE_AFTER = '30s'
    try {
      global.packageJSON = { dashboard: { modules: ['dashboard-sled'] } }
      const error = await rejection(addon.Storage.setup())
      assert.deepStrictEqual([error.message, error.code], ['invalid-session-idle-after', 'ERR_MODULE_SETTING'])
      assert.match(error.stack, /^invalid-session-idle-after: SESSION_IDLE_AFTER: .* is shorter than 120s/)
      global.packageJSON = before
      await addon.Storage.setup()
    } finally {
      global.packageJSON = before
      delete process.env.SESSION_IDLE_AFTER
    }
  })
  it('APPID is not the name of the records of this package', async () => {
    const before = global.appid
    try {
      for (const appid of ['dashboard-sled', 'dashboard-sled/a']) {
        global.appid = appid
        const error = await rejection(addon.Storage.setup())
        assert.deepStrictEqual([error.message, error.code], ['invalid-appid', 'ERR_INVALID'])
        assert(error.stack.startsWith(`invalid-appid: APPID is ${appid}: `))
      }
      global.appid = 'dashboard-sled-2'
      await addon.Storage.setup()
    } finally {
      global.appid = before
    }
  })

  describe('PREFIX_SLED_PATH', () => {
    it('default a folder beside the main one', async () => {
      const module = await addon.Storage.setup('ORGANIZATIONS')
      assert(fs.existsSync(path.join(store.folder, 'store-organizations', 'guard')))
      await module.close()
    })
    it('a flush of one store leaves the other', async () => {
      const module = await addon.Storage.setup('ORGANIZATIONS')
      const moduleList = await addon.StorageList.setup(module, 'ORGANIZATIONS')
      await store.storage.write('file', 'main')
      await store.storageList.add('list', 'main')
      await module.write('file', 'module')
      await moduleList.add('list', 'module')
      await store.storage.flush()
      assert.strictEqual(await module.read('file'), 'module')
      assert.deepStrictEqual(await moduleList.listAll('list'), ['module'])
      await store.storage.write('file', 'main')
      await moduleList.flush()
      assert.strictEqual(await module.read('file'), undefined)
      assert.strictEqual(await store.storage.read('file'), 'main')
      await module.close()
    })
    it('takes a folder of its own', async () => {
      process.env.ORGANIZATIONS_SLED_PATH = path.join(store.folder, 'mine')
      const module = await addon.Storage.setup('ORGANIZATIONS')
      assert(fs.existsSync(path.join(store.folder, 'mine', 'guard')))
      await module.close()
    })
    it('invalid-sled-path', async () => {
      const main = path.join(store.folder, 'store')
      const link = path.join(store.folder, 'link')
      fs.symlinkSync(main, link)
      for (const folder of [main, link]) {
        process.env.ORGANIZATIONS_SLED_PATH = folder
        const error = await rejection(addon.Storage.setup('ORGANIZATIONS'))
        assert.strictEqual(error.message, 'invalid-sled-path')
        assert.strictEqual(error.code, 'ERR_SLED_PATH')
        assert(error.detail.startsWith('ORGANIZATIONS_SLED_PATH: '))
      }
      await store.storage.write('file', 'contents')
      await store.reopen()
      assert.strictEqual(await store.storage.read('file'), 'contents')
    })
    it('a module that cannot be opened leaves the main store as it is', async () => {
      process.env.ORGANIZATIONS_SLED_PATH = '/dev/null/store'
      const opening = rejection(addon.Storage.setup('ORGANIZATIONS'))
      await store.reopen()
      assert.strictEqual((await opening).code, 'ERR_STORE_IO')
      await store.storage.write('file', 'contents')
      assert.strictEqual(await store.storage.read('file'), 'contents')
    })
    it('null is no prefix, as the host hands it over', async () => {
      await store.storage.write('file', 'contents')
      assert.strictEqual(await (await addon.Storage.setup(null)).read('file'), 'contents')
    })
    it('invalid-prefix', async () => {
      for (const prefix of ['../', 'A B', '', 'A/B']) {
        const error = await rejection(addon.Storage.setup(prefix))
        assert.strictEqual(error.message, 'invalid-prefix')
      }
    })
  })

  for (const name of ['SLED_CACHE_MB', 'SLED_COMMIT_SECONDS']) {
    describe(name, () => {
      const slug = `invalid-${name.toLowerCase().replaceAll('_', '-')}`
      it(slug, async () => {
        for (const value of ['0', '-1', '1.5', 'many', '1e9', 'NaN']) {
          process.env[name] = value
          const error = await rejection(addon.Storage.setup())
          assert.strictEqual(error.message, slug)
          assert.strictEqual(error.code, `ERR_${name}`)
          assert(error.detail.includes(`${name}: ${value} `))
        }
      })
    })
  }

  describe('SLED_CACHE_MB', () => {
    const { totalmem } = os
    afterEach(() => Object.assign(os, { totalmem }))

    it('follows the memory that the process may use', () => {
      const machine = 4096
      const cases = [
        // limit of the container in MiB, cache of the main store, of a module's
        [256, 32, 32],
        [512, 80, 64],
        [1024, 208, 64],
        [8192, 976, 64],
        [null, 976, 64],
        [2 ** 44, 976, 64]
      ]
      os.totalmem = () => machine * 2 ** 20
      for (const [limit, main, module] of cases) {
        const bytes = limit && limit * 2 ** 20
        assert.deepStrictEqual([defaultCacheMB(undefined, bytes), defaultCacheMB('ORGANIZATIONS', bytes)], [main, module], `${limit}`)
      }
      os.totalmem = () => 64 * 2 ** 30
      assert.strictEqual(defaultCacheMB(undefined, null), 1024)
    })
    it('follows the limit of a control group around the process', function () {
      const group = makeGroup(256 * 2 ** 20)
      if (!group) {
        this.skip()
      }
      const program = 'process.stdout.write(String(require("./lib/native.js").memoryLimit()))'
      try {
        const text = execFileSync('sh', ['-c', 'echo $$ > "$1" && exec "$2" -e "$3"', 'sh', path.join(group, 'inner', 'cgroup.procs'), process.execPath, program],
          { cwd: path.join(__dirname, '..'), encoding: 'utf8' })
        assert.strictEqual(text, String(256 * 2 ** 20))
      } finally {
        removeGroup(group)
      }
    })
    it('a small cache changes no answer', async () => {
      await store.storage.close()
      process.env.SLED_CACHE_MB = '1'
      await store.open()
      const contents = (i) => `${i}`.repeat(i % 5000)
      await Promise.all(Array.from({ length: 3000 }, (_, i) => store.storage.write(`file/${i}`, contents(i))))
      for (let i = 0; i < 3000; i++) {
        assert.strictEqual(await store.storage.read(`file/${i}`), contents(i))
      }
    }).timeout(60000)
  })

  describe('README', () => {
    const rows = fs.readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'))

    for (const { variable, byDefault, least, most, unit } of Object.values(settings)) {
      it(`has the default and the limits of ${variable}`, () => {
        const row = rows.find((line) => line.startsWith(`| \`${variable}\` |`))
        assert(byDefault === undefined ? / \| \| /.test(row) : row.includes(`| \`${byDefault}\``), row)
        assert(most === undefined || (row.includes(`${least} to ${most}`) && row.includes(unit)), row)
      })
    }
  })

  describe('CACHE', () => {
    it('invalid-cache', async () => {
      process.env.CACHE = 'node'
      for (const engine of [addon.Storage, addon.StorageList]) {
        const error = await rejection(engine.setup())
        assert.strictEqual(error.message, 'invalid-cache')
        assert.strictEqual(error.code, 'ERR_CACHE')
        assert(error.detail.startsWith('CACHE: '))
      }
    })
  })
})

// Makes a control group with this memory limit, and one in it without a limit. Returns its folder, or undefined if this user or
// this system makes none.
function makeGroup (bytes) {
  const own = fs.existsSync('/proc/self/cgroup') ? fs.readFileSync('/proc/self/cgroup', 'utf8') : ''
  for (const [line, root, limit] of [[/^0::(.*)$/m, '/sys/fs/cgroup', 'memory.max'], [/^\d+:memory:(.*)$/m, '/sys/fs/cgroup/memory', 'memory.limit_in_bytes']]) {
    const group = path.join(root, line.exec(own)?.[1] || '', `dashboard-sled-test-${process.pid}`)
    try {
      fs.mkdirSync(path.join(group, 'inner'), { recursive: true })
      fs.writeFileSync(path.join(group, limit), `${bytes}`, { flag: 'r+' })
      return group
    } catch (error) {
      // It is not a file of a group, or not this user's.
      removeGroup(group)
    }
  }
}

// The files of a group go with its folder.
function removeGroup (group) {
  for (const folder of [path.join(group, 'inner'), group].filter((folder) => fs.existsSync(folder))) {
    fs.rmdirSync(folder)
  }
}
