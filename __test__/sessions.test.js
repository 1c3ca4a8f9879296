/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('./contract/make-application.js')
const { makeFolder } = require('./helper.js')
const { runStep } = require('./helpers/real-dashboard.js')

describe('sessions', () => {
  let folder
  beforeEach(() => {
    folder = makeFolder()
    makeApplication(folder, ['dashboard-sled'])
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const [title, secret] of [['in plain text', {}], ['encrypted', { ENCRYPTION_SECRET: '0123456789abcdef0123456789abcdef', ENCRYPTION_SECRET_IV: '0123456789abcdef' }]]) {
    it(`every end that Dashboard's own routes make is recorded, ${title}`, async () => {
      const { ends, live, deletion, verified, status, count, secrets, warnings } = await step('hostRoutes', {}, secret)
      const told = Object.fromEntries(Object.entries(ends).map(([name, end]) => [name, [end?.cause, end?.actor?.type]]))
      assert.deepStrictEqual(told, {
        'signed-out': ['signed-out', 'user'],
        'ended-by-user': ['ended-by-user', 'user'],
        'reset-by-user': ['session-key-reset', 'user'],
        'reset-by-administrator': ['session-key-reset', 'administrator'],
        'reset-by-call': ['session-key-reset', 'system'],
        password: ['password-changed', 'visitor']
      })
      assert.strictEqual(live, null)
      // Nobody has named this proxy.
      assert.deepStrictEqual([ends['signed-out'].address, ends['signed-out'].agent], ['127.0.0.1', 'a-browser'])
      assert.deepStrictEqual(deletion.map(({ cause }) => cause), ['account-deleted'])
      assert.deepStrictEqual([verified, status, count, secrets], [{ entries: 7, break: null, number: null }, 302, 7, false])
      assert.deepStrictEqual(warnings, [])
    }).timeout(60000)
  }

  it('ends by choice: one, all but one, all of an account', async () => {
    const found = await step('byChoice')
    const { dry, one, again, ended, but, whole, why, wholeWhy } = found
    assert.deepStrictEqual([dry.dryRun, dry.ended, dry.sessionids.length], [true, 3, 3])
    assert.deepStrictEqual(found.afterDry, [false, false, false, false])
    assert.deepStrictEqual([one.ended, one.dryRun, one.entries.length], [1, false, 1])
    assert.deepStrictEqual(again, one)
    assert.strictEqual(ended.ended, 0)
    assert.deepStrictEqual(found.afterOne, [false, true, false, false])
    assert.deepStrictEqual([why.cause, why.reason, why.number], ['ended-by-administrator', 'a lost phone', one.entries[0]])
    assert.deepStrictEqual([but.ended, found.afterBut], [2, [false, true, true, true]])
    assert.deepStrictEqual([whole.ended, found.afterWhole], [1, [true, true, true, true]])
    assert.deepStrictEqual([wholeWhy.cause, whole.entries], ['ended-by-administrator', [wholeWhy.number]])
    assert.deepStrictEqual(found.refused, {
      nothing: 'invalid-selection',
      empty: 'invalid-accountid',
      two: 'invalid-selection',
      unknown: 'invalid-accountid',
      emptyList: 'invalid-accountids',
      list: 'invalid-accountids',
      future: 'invalid-before',
      unknownName: 'invalid-parameter',
      unknownFlag: 'invalid-parameter',
      twice: 'invalid-parameter',
      json: 'invalid-parameter',
      none: 'invalid-appid',
      hostile: 'invalid-sessionid',
      path: 'invalid-accountid',
      exceptAll: 'invalid-selection',
      oneBefore: 'invalid-selection',
      flag: 'invalid-all',
      time: 'invalid-before',
      array: 'invalid-accountid',
      exceptOfOther: 'invalid-except',
      appid: 'invalid-appid'
    })
    assert.deepStrictEqual([found.tenant, found.tenantAudit], ['invalid-sessionid', []])
    assert.strictEqual(found.ofOther.message, 'invalid-account')
    assert.deepStrictEqual([found.nothingByUser.message, found.reasonByUser.message], ['invalid-selection', 'invalid-selection'])
    assert.deepStrictEqual([found.dryByUser.dryRun, found.dryByUser.ended, found.exceptByUser.sessionids], [true, 2, [found.exceptOf]])
    assert.deepStrictEqual([found.allByUser.ended, found.allByUser.entries.length], [1, 1])
    assert.deepStrictEqual(found.orphans.map(({ cause }) => cause), ['ended-by-user', 'ended-by-user'])
    assert.strictEqual(found.ownEnd.ended, 1)
    assert.deepStrictEqual([found.ownNext.isSentToSignIn, found.ownNext.cookies.map((cookie) => cookie.split(';')[0])], [true, ['sessionid=x', 'token=x']])
    assert.deepStrictEqual([found.strangerLives, found.notAdministrator], [true, 500])
  }).timeout(60000)

  it('all sessions of an application end by one write', async () => {
    const { dry, receipt, ended, now, next, why, lives, odd, oldWhy, earlier, late, stillEnded, verified } = await step('application')
    assert.deepStrictEqual([dry.dryRun, dry.ended, dry.createdBefore], [true, 2, now])
    assert.deepStrictEqual([receipt.createdBefore, receipt.ended, receipt.entries], [now, undefined, [why.number]])
    assert.deepStrictEqual(ended, [now - 1, now - 1])
    assert.strictEqual(next, true)
    assert.deepStrictEqual([why.cause, why.actor.type], ['application-wide', 'administrator'])
    assert.strictEqual(lives, true)
    assert.deepStrictEqual([odd.ended, oldWhy], [now - 1, 'expired'])
    assert.deepStrictEqual(late[1], late[0])
    assert.deepStrictEqual([earlier.createdBefore, stillEnded, verified.break], [5, true, null])
  }).timeout(60000)

  it('policies end sessions that are idle, old or too many', async () => {
    const found = await step('policies', {}, { SESSION_IDLE_AFTER: '3m', SESSION_ABSOLUTE_AFTER: '1h', SESSIONS_PER_ACCOUNT: '3' })
    assert.deepStrictEqual([found.idle, found.used, found.absolute], [true, false, true])
    assert.deepStrictEqual([found.idleWhy.cause, found.idleWhy.actor, found.absoluteWhy.cause], ['idle', { type: 'policy' }, 'expired'])
    assert.deepStrictEqual(found.limit, ['limit', 'limit', null, null, null])
  }).timeout(60000)

  it('an end is never undone, and explained, whatever changes the session at once', async () => {
    const { found, verified } = await step('races', { count: Number(process.env.RACES || 100) })
    for (const [name, total] of Object.entries(found)) {
      assert.deepStrictEqual(total, { revived: 0, unexplained: 0, wrong: 0 }, name)
    }
    assert.strictEqual(verified.break, null)
  }).timeout(180000)

  it('lists who is signed in, in pages that do not shift', async () => {
    const { pages, ended, live, first, refused, native, owned, none } = await step('list')
    assert.deepStrictEqual(pages, [[6, 5, 4], [3, 2, 1], [0]])
    assert.deepStrictEqual([ended, live], [[2], 9])
    assert.deepStrictEqual([first.agent, first.address, first.state], ['a "device" <b>', '127.0.0.1', 'live'])
    assert.deepStrictEqual(refused, { state: 'invalid-state', limit: 'invalid-limit', cursor: 'invalid-cursor', empty: 'invalid-accountid' })
    assert.deepStrictEqual([native, owned, none], [10, true, null])
  }).timeout(60000)

  it('the audit is paged by account, actor, cause and time, erased, pruned and verified', async () => {
    const count = 60
    const found = await step('audit', { count })
    const down = (from, to) => Array.from({ length: from - to + 1 }, (_, index) => from - index)
    assert.deepStrictEqual(found.all, down(count, 1))
    assert.deepStrictEqual(found.ofOwner, [51, 41, 31, 21, 11, 1])
    assert.deepStrictEqual([found.since, found.until], [down(count, count - 2), down(5, 1)])
    assert.deepStrictEqual([found.cause, found.other, found.actor], [count, [], count])
    assert.deepStrictEqual(found.refused, ['invalid-cause', 'invalid-cursor', 'invalid-accountid'])
    assert.deepStrictEqual(found.verified, { entries: count, break: null, number: null })
    assert.strictEqual(found.erased.entries, count - 6)
    assert.deepStrictEqual([found.afterErasure.verified.break, found.afterErasure.ofAccount, found.afterErasure.ofOwner.length], [null, [], 6])
    assert.deepStrictEqual(found.pruned, 31)
    assert.deepStrictEqual([found.afterPruning.verified, found.afterPruning.all], [{ entries: 29, break: null, number: null }, down(count, 32)])
    assert.strictEqual(found.tampered.number, count)
    assert.strictEqual(found.removed.break, `entry ${count} is missing or cannot be read`)
    assert.deepStrictEqual(found.users, [count + 1])
  }).timeout(60000)

  async function step (name, argument = {}, env = {}) {
    return runStep('sessions.js', name, argument, { application: folder, store: path.join(folder, 'store'), env })
  }
})
