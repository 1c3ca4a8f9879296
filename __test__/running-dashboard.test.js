/* eslint-env mocha */
// Each command that a running dashboard answers, there and on the store of a stopped one.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')
const addon = require('../index.js')
const manual = require('../lib/cli/manual.js')
const { damage } = require('./helpers/damage.js')
const { secrets } = require('./helpers/secret.js')
const { serve } = require('./helpers/serve.js')
const { makeFolder, runTool } = require('./helper.js')

const { username } = os.userInfo()
const tried = new Set()

describe('commands while the dashboard runs', function () {
  this.timeout(60000)
  for (const [title, env] of Object.entries({ plain: {}, encrypted: secrets })) {
    for (const isRunning of [true, false]) {
      describe(`${isRunning ? 'running' : 'stopped'}, ${title}`, () => {
        let folder, store, dashboard, owner, user, sessions
        before(async () => {
          folder = fs.realpathSync(makeFolder())
          store = path.join(folder, 'store')
          dashboard = await serve(store, { env: { ...env, APPID: 'an-app', TMPDIR: folder } })
          owner = await dashboard.step('signUp', { username: 'the-owner' })
          user = await dashboard.step('signUp', { username: 'a-user' })
          sessions = [user.session]
          for (let i = 0; i < 4; i++) {
            sessions.push(await dashboard.step('signIn', { username: 'a-user' }))
          }
          assert.strictEqual(await dashboard.step('isLetIn', { session: sessions[1] }), true)
          if (!isRunning) {
            await dashboard.step('close', {})
            dashboard.child.kill('SIGKILL')
            await dashboard.ended
          }
        })
        after(async () => {
          dashboard.child.kill('SIGKILL')
          await dashboard.ended
          fs.rmSync(folder, { recursive: true })
        })

        it('verify', async () => {
          const { text, report } = await both('verify')
          assert.match(text, /^\d+ records, \d+ lists .*\nnothing is wrong\n$/)
          assert.deepStrictEqual([report.problems, report.records > 10], [0, true])
          assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.startsWith('dashboard-sled-verify-')), [])
        })
        it('stats', async () => {
          const { text, report } = await both('stats')
          assert.match(text, /\nan-app +session +6 /)
          assert.deepStrictEqual([report.damaged, report.diskBytes > 0, report.kinds.find(({ kind }) => kind === 'session').records], [0, true, 6])
        })
        it('list', async () => {
          const { text, report } = await both('list', 'an-app/accounts', '--limit', '1')
          assert.deepStrictEqual([text, report.items, report.count], [`${user.account.accountid}\n`, [user.account.accountid], 2])
          assert.deepStrictEqual(await failing('list', 'nothing'), [1, 'list-missing: there is no list nothing\n'])
        })
        it('inspect, without a secret and without the secret of the environment', async () => {
          const key = `an-app/account/${user.account.accountid}`
          const { report } = await both('inspect', key)
          assert.deepStrictEqual([report.value.sessionKey, report.value.accountid], ['(redacted)', user.account.accountid])
          const { report: revealed } = await both('inspect', key, '--reveal')
          assert.strictEqual(revealed.value.sessionKey, user.account.sessionKey)
          assert.deepStrictEqual(await failing('inspect', 'nothing'), [1, 'record-missing: there is no record nothing\n'])
        })
        it('sessions list', async () => {
          const { report } = await both('sessions', 'list', '--state', 'live', '--account', user.account.accountid)
          assert.deepStrictEqual(report.sessions.map(({ sessionid }) => sessionid), sessions.map(({ sessionid }) => sessionid).reverse())
          assert.strictEqual(report.cursor, null)
          const { report: page } = await both('sessions', 'list', '--limit', '2')
          const { report: next, text } = await both('sessions', 'list', '--cursor', page.cursor)
          assert.deepStrictEqual([page.sessions.length, next.sessions.length], [2, 4])
          assert(text.includes(`${owner.session.sessionid}  ${owner.account.accountid}  live`), text)
          assert(!/token|sessionKey"/.test(JSON.stringify([report, page, next])))
          assert.strictEqual((await both('sessions', 'list', '--count')).text, '6 live, 0 ended\n')
          const { report: other } = await both('sessions', 'list', '--appid', 'another')
          assert.deepStrictEqual(other.sessions, [])
        })
        it('sessions end asks, and --dry-run ends nothing', async () => {
          const { sessionid } = sessions[4]
          const { text, report } = await both('sessions', 'end', '--session', sessionid, '--dry-run')
          assert.strictEqual(text, `the session ${sessionid} would be ended\n${sessionid}\n`)
          assert.deepStrictEqual([report.dryRun, report.ended], [true, 1])
          const [code, text2] = await failing('sessions', 'end', '--session', sessionid)
          assert.deepStrictEqual([code, text2.startsWith(`confirmation-missing: the session ${sessionid} will be ended. Add --yes`)], [2, true], text2)
          assert.strictEqual((await both('sessions', 'list', '--count')).text, '6 live, 0 ended\n')
        })
        it('sessions end, of one, and why', async () => {
          const { sessionid } = sessions[4]
          const { report } = await json('sessions', 'end', '--session', sessionid, '--yes', '--reason', 'a \u001b[2J lost phone')
          assert.deepStrictEqual([report.ended, report.sessionids, report.entries], [1, [sessionid], [1]])
          const { text, report: shown } = await both('sessions', 'show', sessionid)
          assert.deepStrictEqual([shown.end.cause, shown.end.actor], ['ended-by-administrator', { type: 'command-line', user: username }])
          assert(text.includes(`, ended-by-administrator, by command-line ${username}, "a \\u001b[2J lost phone", entry 1 of the audit\n`), text)
          assert.strictEqual((await both('sessions', 'show', sessions[3].sessionid)).report.end, null)
          const again = await text1('sessions', 'end', '--session', sessionid, '--yes')
          assert.strictEqual(again, 'no live session fits, so nothing was ended\n')
          if (isRunning) {
            assert.deepStrictEqual([await dashboard.step('isLetIn', { session: sessions[4] }), await dashboard.step('isLetIn', { session: sessions[3] })], [false, true])
          }
        })
        it('sessions end, of all but one', async () => {
          const { report: none } = await json('sessions', 'end', '--all-but', sessions[0].sessionid, '--before', '2020-01-01', '--yes')
          const { report: idle } = await json('sessions', 'end', '--all-but', sessions[0].sessionid, '--idle-since', '1d', '--yes')
          const { report } = await json('sessions', 'end', '--all-but', sessions[0].sessionid, '--yes')
          assert.deepStrictEqual([none.ended, idle.ended, report.ended], [0, 0, 3])
          assert.strictEqual((await both('sessions', 'list', '--count')).text, '2 live, 4 ended\n')
          const [code, text] = await failing('sessions', 'end', '--all-but', sessions[0].sessionid, '--account', owner.account.accountid, '--yes')
          assert.deepStrictEqual([code, text], [2, `invalid-except: the session ${sessions[0].sessionid} is not one of the account ${owner.account.accountid}\n`])
        })
        it('sessions end, of several accounts, and of all', async () => {
          const accounts = [owner, user].map(({ account }) => account.accountid)
          const { report } = await json('sessions', 'end', '--account', accounts[0], '--account', accounts[1], '--yes')
          assert.deepStrictEqual([report.ended, report.accountids], [2, accounts])
          const text = await text1('sessions', 'end', '--all', '--yes')
          assert.match(text, /^every session of the application that was created before 20\S+Z was ended at 20\S+Z/)
          assert.strictEqual((await both('sessions', 'list', '--count')).text, '0 live, 6 ended\n')
        })
        it('sessions end refuses what may be meant in two ways, or another tenant', async () => {
          const { sessionid } = sessions[0]
          for (const [args, sentence] of [
            [[], 'invalid-selection: say which sessions'],
            [['--all', '--account', 'a'], 'invalid-selection: say which sessions'],
            [['--session', sessionid, '--all-but', sessionid], 'invalid-selection: say which sessions'],
            [['--session', ''], 'invalid-sessionid: the name of the session is empty; give its id\n'],
            [['--account', ''], 'invalid-accountid: the name of the account is empty; give its id\n'],
            [['--account', 'a', '--account', ''], 'invalid-accountids: the name of the account is empty; give its id\n'],
            [['--account', owner.account.accountid, '--account', 'account_none'], `invalid-accountid: not all of the accounts ${owner.account.accountid}, account_none are in the application an-app`],
            [['--session', 'session_none'], 'invalid-sessionid: there is no session session_none in the application an-app'],
            [['--session', sessionid, '--appid', 'another'], `invalid-sessionid: there is no session ${sessionid} in the application another`],
            [['--session', 'a/session/b'], 'invalid-sessionid'],
            [['--account', 'account_none'], 'invalid-accountid: there is no account account_none in the application an-app'],
            [['--all', '--appid', 'another'], 'invalid-appid: the store has no session of the application another'],
            [['--all', '--appid', 'a/session/b'], 'invalid-appid'],
            [['--all', '--before', '2999-01-01'], 'invalid-before: before is in the future'],
            [['--all', '--before', '2026'], "error: option '--before <time>' argument '2026' is invalid"],
            [['--all', '--before', '2026-11-22T18:00'], "error: option '--before <time>'"],
            [['--all', '--before', '0d'], "error: option '--before <time>'"],
            [['--account', 'a', '--reason', ''], 'invalid-']
          ]) {
            const [code, text] = await failing('sessions', 'end', ...args, '--yes')
            assert.deepStrictEqual([args, code, text.startsWith(sentence)], [args, 2, true], text)
          }
        })
        it('audit', async () => {
          const { report, text } = await both('audit')
          assert.deepStrictEqual((await both('audit', 'list')).report, report)
          assert(report.number >= 5 && report.entries.every(({ actor }) => actor.user === username))
          assert.match(text, /application-wide +- +before 20/)
          const { report: filtered } = await both('audit', '--account', user.account.accountid, '--cause', 'ended-by-administrator', '--since', '1d', '--until', '1s', '--actor', 'command-line', '--limit', '2')
          assert(filtered.number <= 2 && filtered.entries.every(({ accountid }) => accountid === user.account.accountid))
          assert.deepStrictEqual((await both('audit', '--appid', 'another')).report.entries, [])
          const csv = await runTool(['audit', '--format', 'csv', '--json', '--store', store], { env: environment() })
          assert.strictEqual(JSON.parse(csv.stderr).number, report.number)
          assert.match(csv.stdout, /^number,time,cause,/)
          assert(csv.stdout.includes('a \\u001b[2J lost phone'), csv.stdout)
          const lines = (await text1('audit', 'list', '--all', '--format', 'json')).trim().split('\n').map((line) => JSON.parse(line))
          assert.deepStrictEqual(lines.map(({ initiating_entity: by, number }) => [by, number]), report.entries.map(({ number }) => ['admin', number]))
          const [code, refused] = await failing('audit', '--cause', 'nothing')
          assert.deepStrictEqual([code, refused.startsWith("error: option '--cause <cause>' argument 'nothing' is invalid. Allowed choices are signed-out, ")], [2, true], refused)
        })
        it('audit verify, and audit erase', async () => {
          const { text, report } = await both('audit', 'verify')
          assert.strictEqual(text, `${report.entries} entries, and the chain is whole\n`)
          assert.deepStrictEqual(await failing('audit', 'erase', '--account', user.account.accountid), [2, `confirmation-missing: everything that the audit tells of the account ${user.account.accountid} is removed for ever. Add --yes if that is what you want; nothing was changed\n`])
          assert.strictEqual(await text1('audit', 'erase', '--account', 'account_none', '--yes'), 'the audit has no entry about account_none or by it, so nothing was erased there\n')
          const erased = await json('audit', 'erase', '--account', user.account.accountid, '--yes')
          assert(erased.report.entries >= 4)
          assert.strictEqual((await both('audit', 'verify')).report.break, null)
          assert.match((await both('audit')).text, / \(erased\) /)
        })
        it('backup', async () => {
          const backups = path.join(folder, 'backups')
          const { report } = await json('backup', backups, '--keep', '1')
          const again = await json('backup', backups, '--keep', '1')
          assert.deepStrictEqual([again.report.removed, fs.readdirSync(backups)], [[report.folder], [path.basename(again.report.folder)]])
          const text = await text1('backup', path.join(folder, 'one'))
          assert.match(text, /^\d+ records, .*one and verified\n$/s)
          const [code, refused] = await failing('backup', path.join(folder, 'one'))
          assert.deepStrictEqual([code, refused.startsWith('store-foreign-folder: ')], [1, true], refused)
          const opened = await addon.open({ path: path.join(folder, 'one') })
          assert.strictEqual((await opened.verify()).problems, 0)
          await opened.close()
        })
        it('the manual names every field of their JSON', () => {
          for (const name of Object.keys(manual).filter((name) => manual[name].running)) {
            assert(tried.has(name), name)
          }
        })

        // Runs a command for people and for programs. Nothing but the data and a summary is said.
        async function both (...args) {
          const text = await text1(...args)
          return { text, ...await json(...args) }
        }

        async function text1 (...args) {
          const { code, stdout, stderr } = await runTool([...args, '--store', store], { env: environment() })
          assert.deepStrictEqual([args, code], [args, 0], stderr)
          return stdout
        }

        async function json (...args) {
          const { code, stdout, stderr } = await runTool([...args, '--store', store, '--json'], { env: environment() })
          assert.deepStrictEqual([args, code, stderr], [args, 0, ''])
          const report = JSON.parse(stdout)
          const name = ['sessions', 'audit'].includes(args[0]) ? `${args[0]} ${/^(list|show|end|verify|erase)$/.test(args[1]) ? args[1] : 'list'}` : args[0]
          tried.add(name)
          assert.deepStrictEqual(Object.keys(report).filter((field) => ![['store'], ...manual[name].fields].some(([known]) => known === field)), [], name)
          return { report }
        }

        async function failing (...args) {
          const { code, stdout, stderr } = await runTool([...args, '--store', store], { env: environment() })
          assert.strictEqual(stdout, '')
          return [code, stderr]
        }

        // The tool needs the secret and the application only where it opens the store itself.
        function environment () {
          return isRunning ? {} : { ...env, APPID: 'an-app' }
        }
      })
    }
  }

  it('a session whose account is gone is refused with the name of the account', async () => {
    const folder = fs.realpathSync(makeFolder())
    const store = path.join(folder, 'store')
    const opened = await addon.open({ path: store })
    await opened.storage.write('dashboard/session/session_1', JSON.stringify({ object: 'session', sessionid: 'session_1', accountid: 'account_1', sessionKeyNumber: 1, created: 1, expires: 1e10 }))
    await opened.lists.addMany({ 'dashboard/sessions': 'session_1', 'dashboard/account/sessions/account_1': 'session_1' })
    await opened.close()
    const check = async () => {
      const gone = 'invalid-accountid: the account account_1 of the session session_1 is gone, so nobody gets in with this session\n'
      const missing = 'invalid-accountid: there is no account account_1 in the application dashboard; --appid names another one\n'
      for (const [args, sentence] of [
        [['show', 'session_1'], gone],
        [['end', '--session', 'session_1', '--yes'], gone],
        [['end', '--all-but', 'session_1', '--yes'], gone],
        [['end', '--account', 'account_1', '--yes'], missing]
      ]) {
        const { code, stdout, stderr } = await runTool(['sessions', ...args, '--store', store])
        assert.deepStrictEqual([args, code, stdout, stderr], [args, 2, '', sentence])
      }
    }
    await check()
    const dashboard = await serve(store)
    await check()
    dashboard.child.kill('SIGKILL')
    await dashboard.ended
    fs.rmSync(folder, { recursive: true })
  })

  it('the secret has to be that of the dashboard', async () => {
    const folder = fs.realpathSync(makeFolder())
    const store = path.join(folder, 'store')
    const dashboard = await serve(store, { env: secrets })
    const { session } = await dashboard.step('signUp', { username: 'the-owner' })
    dashboard.child.kill('SIGKILL')
    await dashboard.ended
    for (const env of [{}, { ...secrets, ENCRYPTION_SECRET: 'x'.repeat(32) }]) {
      for (const args of [['sessions', 'list'], ['sessions', 'end', '--all', '--yes'], ['sessions', 'end', '--session', session.sessionid, '--yes'], ['audit']]) {
        const { code, stdout, stderr } = await runTool([...args, '--store', store], { env })
        assert.deepStrictEqual([args, code, stdout], [args, 1, ''])
        assert.match(stderr, /^record-unreadable: .*; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV/)
      }
    }
    const { stdout } = await runTool(['sessions', 'list', '--count', '--store', store], { env: secrets })
    assert.strictEqual(stdout, '1 live, 0 ended\n')
    fs.rmSync(folder, { recursive: true })
  })

  it('verify of a store that is written all the time finds damage, and nothing else', async () => {
    for (const isDamaged of [false, true]) {
      const folder = fs.realpathSync(makeFolder())
      const store = path.join(folder, 'store')
      const before = await addon.open({ path: store })
      await before.storage.write('a-record', 'contents')
      await before.storage.write('another', 'contents')
      await before.close()
      if (isDamaged) {
        damage(store, { records: ['a-record', 'another'] })
      }
      const dashboard = await serve(store)
      await dashboard.step('writeOn', {})
      for (let i = 0; i < 3; i++) {
        const { code, stdout } = await runTool(['verify', '--store', store])
        assert.deepStrictEqual([code, /nothing is wrong/.test(stdout), /a-record/.test(stdout) && /another/.test(stdout)], isDamaged ? [3, false, true] : [0, true, false], stdout)
      }
      dashboard.child.kill('SIGKILL')
      await dashboard.ended
      fs.rmSync(folder, { recursive: true })
    }
  })
})
