/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runNode, runTool } = require('./helper.js')
const { until } = require('./helpers/times.js')
const { assertAllCommands } = require('./helpers/commands.js')

const records = 4000
// An export of an empty store.
const nothing = '{"format":"dashboard-sled","version":1}\n' +
  '{"end":{"records":0,"lists":0,"items":0},"sha256":"bb0f3bffaaa6d82be915e49f6669f1b8959541ff873756f35f51814bfebfd420"}\n'

describe('unfinished backup', () => {
  let folder, store, backup
  before(async () => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    backup = path.join(folder, 'backup')
    const opened = await addon.open({ path: store })
    await opened.load(Array.from({ length: records }, (_, i) => ({ record: `x/${i}`, contents: Buffer.alloc(1000, i) })))
    await opened.close()
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  describe('that was cut short', () => {
    let files
    before(async () => {
      fs.rmSync(backup, { recursive: true, force: true })
      const { child, ended } = await startBackup()
      child.send('go')
      // The mark in the guard says that it is not whole.
      await until(isBegun, { every: 1 })
      child.kill('SIGKILL')
      await ended
      assert.notStrictEqual(mark(), 0)
      files = readFiles(backup)
    })

    const refused = ['verify', 'verify --repair', 'stats', 'list l', 'inspect x/1', 'export', 'compact', 'purge --older-than 1d',
      'recover --invalidate-sessions --yes', 'backup elsewhere', 'import --from jsonl -', 'sessions list', 'sessions end --all --yes', 'audit verify']
    // A restore replaces it, and the others do not open it.
    it('is tried with every command', () => assertAllCommands(refused, ['restore', 'remove-replaced', 'completion']))
    for (const args of refused.map((line) => line.split(' '))) {
      it(`is refused by ${args.join(' ')}, without a change`, async () => {
        const { code, stdout, stderr } = await runTool([...args, '--store', backup], { input: nothing })
        assert.deepStrictEqual([code, stdout], [6, ''])
        assert(stderr.startsWith('store-unfinished-copy: '), stderr)
        assertUnchanged()
      })
    }
    it('is refused by an open, which says what to do', async () => {
      for (const create of [true, false]) {
        const error = await rejection(addon.open({ path: backup, create }))
        assert.deepStrictEqual([error.message, error.code], ['store-unfinished-copy', 'ERR_STORE_UNFINISHED'])
        assert(error.detail.includes(backup) && error.detail.includes('remove that folder and make another backup'), error.detail)
      }
      assertUnchanged()
    })
    it('is not restored from, and the store stays as it is', async () => {
      const { code, stderr } = await runTool(['restore', backup, '--yes', '--store', store])
      assert.deepStrictEqual([code, stderr.startsWith('store-unfinished-copy: ')], [6, true], stderr)
      assertUnchanged()
      await assertWhole(store)
    })
    it('is replaced by another backup', async () => {
      const { child, ended } = await startBackup()
      child.send('go')
      const [answer] = await once(child, 'message')
      await ended
      assert.strictEqual(answer.records, records)
      await assertWhole(backup)
    })

    function assertUnchanged () {
      assert.deepStrictEqual(readFiles(backup), files)
    }
  })

  it('is not read while it is made, and not taken for one that was cut short', async () => {
    fs.rmSync(backup, { recursive: true, force: true })
    const { child, ended } = await startBackup()
    child.send('go')
    await until(isBegun, { every: 1 })
    child.kill('SIGSTOP')
    const error = await rejection(addon.open({ path: backup, create: false }))
    assert.deepStrictEqual([error.code, error.detail.includes(`process ${child.pid}`)], ['ERR_STORE_LOCKED', true], error.detail)
    child.kill('SIGCONT')
    const [answer] = await once(child, 'message')
    await ended
    assert.strictEqual(answer.records, records)
    await assertWhole(backup)
  })

  it('takes no second backup of the same process into its folder', async () => {
    fs.rmSync(backup, { recursive: true, force: true })
    const opened = await addon.open({ path: store })
    const answers = await Promise.all(Array.from({ length: 4 }, () => opened.backup(backup).catch(({ code, message }) => ({ code, message }))))
    await opened.close()
    assert.deepStrictEqual(answers.filter(({ code }) => !code).map(({ records }) => records), [records])
    await assertWhole(backup)
  })

  it('takes no backup of a second process into its folder', async () => {
    fs.rmSync(backup, { recursive: true, force: true })
    const other = path.join(folder, 'other')
    fs.cpSync(store, other, { recursive: true })
    const children = await Promise.all([startBackup(), startBackup(other)])
    children.forEach(({ child }) => child.send('go'))
    const answers = await Promise.all(children.map(async ({ child }) => (await once(child, 'message'))[0]))
    await Promise.all(children.map(({ ended }) => ended))
    assert.deepStrictEqual(answers.map(({ code, records }) => code || records).sort(), [records, 'ERR_STORE_LOCKED'])
    await assertWhole(backup)
  })

  async function startBackup (from = store) {
    const running = runNode('backup.js', { args: [backup], env: { SLED_PATH: from } })
    await once(running.child, 'message')
    return running
  }

  async function assertWhole (path) {
    const opened = await addon.open({ path, create: false })
    const report = await opened.verify()
    await opened.close()
    assert.deepStrictEqual([report.records, report.problems], [records, 0])
  }

  function isBegun () {
    return fs.existsSync(path.join(backup, 'sled', 'db')) && mark()
  }

  function mark () {
    return fs.readFileSync(path.join(backup, 'guard')).readUInt8(12)
  }
})

// The contents of all files, by name, with their times.
function readFiles (folder) {
  return fs.readdirSync(folder, { recursive: true }).sort().map((name) => {
    const file = path.join(folder, name)
    const { mode, mtimeMs } = fs.statSync(file)
    return [name, mode, mtimeMs, fs.statSync(file).isFile() && crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')]
  })
}
