/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, runTool, tool } = require('./helper.js')
const { secrets } = require('./helpers/secret.js')

const account = JSON.stringify({ object: 'account', accountid: 'account_1', sessionKey: 'k', sessionKeyNumber: 1 })

describe('confirmation of what cannot be undone', function () {
  this.timeout(60000)
  let folder, store, backup
  beforeEach(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    backup = path.join(folder, 'backup')
    await write(backup, 'the backup')
    await write(store, 'the store')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  describe('restore', () => {
    it('is not done without a terminal and without --yes', async () => {
      const { code, stdout, stderr } = await run('restore', backup)
      assert.deepStrictEqual([code, stdout, stderr], [2, '', `confirmation-missing: the backup in ${backup} takes the place of the store in ${store}, and every session is ended. Add --yes if that is what you want, or --dry-run to see what would happen; nothing was changed\n`])
      assert.strictEqual(await read(store), 'the store')
      const kept = await run('restore', backup, '--keep-sessions')
      assert.strictEqual(kept.stderr.includes('every session'), false)
      assert.strictEqual((await run('restore', backup, '--yes')).code, 0)
      assert.strictEqual(await read(store), 'the backup')
    })
    it('asks at a terminal', async function () {
      for (const [answer, code, contents] of [['n', 2, 'the store'], ['', 2, 'the store'], ['y', 0, 'the backup']]) {
        const found = atTerminal(this, ['restore', backup, '--store', store], `${answer}\n`)
        assert.strictEqual(found.status, code, found.stdout)
        assert.match(found.stdout, /and every session is ended\. Go on\? \[y\/N\]/)
        assert.strictEqual(await read(store), contents)
      }
    })
    it('--dry-run says what would happen, and changes nothing', async () => {
      const { code, stdout } = await run('restore', backup, '--dry-run')
      assert.deepStrictEqual([code, stdout], [0, [
        `2 records, 0 lists with 0 items, ${stdout.match(/items, (.*)/)[1]}`,
        'every session of 1 account would be ended',
        `the store in ${store} would be replaced, and kept within that folder`,
        ''
      ].join('\n')])
      const { backup: report, ...rest } = JSON.parse((await run('restore', backup, '--dry-run', '--json', '--keep-sessions')).stdout)
      assert.deepStrictEqual([report.problems, rest], [0, { store, dryRun: true, accounts: null, replaces: true }])
      const elsewhere = path.join(folder, 'elsewhere')
      const empty = await runTool(['restore', backup, '--dry-run', '--json', '--store', elsewhere])
      assert.deepStrictEqual([JSON.parse(empty.stdout).replaces, fs.existsSync(elsewhere)], [false, false])
      assert.strictEqual(await read(store), 'the store')
    })
    it('says that the accounts are no longer as in the backup', async () => {
      const { stdout } = await run('restore', backup, '--yes')
      assert(stdout.includes('\nevery session of 1 account was ended: its record differs from that of the backup\n'), stdout)
      const { stdout: kept } = await run('restore', backup, '--keep-sessions', '--yes')
      assert(!kept.includes('differ') && kept.includes('\nthe sessions of the backup stay valid\n'), kept)
      const without = path.join(folder, 'without')
      await write(without, 'the backup', 'no account')
      const { stdout: none } = await run('restore', without, '--yes')
      assert(!none.includes('differ') && none.includes('\nevery session of 0 accounts was ended\n'), none)
    })
    for (const options of [['--dry-run'], ['--yes'], []]) {
      it(`of the store itself is refused${options.map((option) => `, with ${option}`).join('')}`, async () => {
        const link = path.join(folder, 'link')
        fs.symlinkSync(store, link)
        for (const name of [store, link]) {
          const { code, stdout, stderr } = await run('restore', name, ...options)
          assert.deepStrictEqual([code, stdout, stderr], [2, '', `invalid-folder: the backup and the store are the same folder, ${name}; name the folder of the backup\n`])
        }
        assert.strictEqual(await read(store), 'the store')
      })
    }
    it('--dry-run fails where a restore would', async () => {
      assert.strictEqual((await run('restore', path.join(folder, 'missing'), '--dry-run')).code, 4)
      const opened = await addon.open({ path: store })
      assert.strictEqual((await run('restore', backup, '--dry-run')).code, 5)
      await opened.close()
      fs.rmSync(backup, { recursive: true })
      await write(backup, 'the backup', Buffer.from(account).toString('hex'))
      const { code, stderr } = await runTool(['restore', backup, '--dry-run', '--store', store], { env: secrets })
      assert.deepStrictEqual([code, stderr.startsWith('accounts-unreadable: 1 account could not be read, so its sessions would stay valid')], [1, true], stderr)
    })
  })

  describe('recover', () => {
    const args = ['recover', '--invalidate-sessions', '--even-if-whole']

    it('is not done without a terminal and without --yes', async () => {
      const { code, stderr } = await run(...args)
      assert.deepStrictEqual([code, stderr], [2, `confirmation-missing: the store in ${store} is accepted as it is, and every session of every account is ended. Add --yes if that is what you want, or --dry-run to see what would happen; nothing was changed\n`])
      assert.strictEqual(await number(), 1)
      assert.strictEqual((await run(...args, '--yes')).code, 0)
      assert.strictEqual(await number(), 2)
    })
    it('--dry-run says what would happen, and changes nothing', async () => {
      const { code, stdout } = await run(...args, '--dry-run')
      assert.deepStrictEqual([code, stdout], [0, `the store in ${store} has not gone back in time\nevery session of 1 account would be ended\n`])
      const without = await run('recover', '--invalidate-sessions', '--dry-run')
      assert.deepStrictEqual([without.code, without.stderr.startsWith('store-whole: ')], [1, true])
      assert.strictEqual(await number(), 1)
      await goBackInTime()
      const back = await run('recover', '--invalidate-sessions', '--dry-run', '--json')
      assert.deepStrictEqual(JSON.parse(back.stdout), { store, dryRun: true, wentBack: true, accounts: null })
      assert.strictEqual((await run('verify')).code, 6)
    })
    it('--salvage --dry-run says what would be saved, and writes nothing', async () => {
      const target = path.join(folder, 'target')
      const { code, stdout } = await run('recover', '--salvage', target, '--dry-run')
      assert.deepStrictEqual([code, stdout, fs.existsSync(target)], [0, `2 records and 0 lists with 0 items would be brought over to ${target}\nnothing would be lost\n`, false])
    })
  })

  function run (...args) {
    return runTool([...args, '--store', store])
  }

  // Runs the tool at a terminal, which the program script makes.
  function atTerminal (test, args, input) {
    const command = [process.execPath, tool, ...args].map((word) => `'${word}'`).join(' ')
    const found = spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], { input, encoding: 'utf8' })
    if (found.error) {
      console.warn('SKIPPED: the question at a terminal, since script is missing')
      test.skip()
    }
    return found
  }

  async function goBackInTime () {
    const [sled, old] = [path.join(store, 'sled'), path.join(folder, 'old')]
    fs.cpSync(sled, old, { recursive: true })
    await write(store, 'later')
    fs.rmSync(sled, { recursive: true })
    fs.renameSync(old, sled)
  }

  async function number () {
    return JSON.parse(await read(store, 'dashboard/account/account_1')).sessionKeyNumber
  }

  async function write (folder, contents, text = account) {
    const opened = await addon.open({ path: folder })
    await opened.load([{ record: 'a', contents: Buffer.from(contents) }, { record: 'dashboard/account/account_1', contents: Buffer.from(text) }])
    await opened.close()
  }

  async function read (folder, record = 'a') {
    const opened = await addon.open({ path: folder })
    const contents = await opened.storage.read(record)
    await opened.close()
    return contents
  }
})
