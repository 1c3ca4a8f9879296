/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('./contract/make-application.js')
const { makeFolder, runTool } = require('./helper.js')
const { runStep } = require('./helpers/real-dashboard.js')
const { secrets } = require('./helpers/secret.js')

const user = { username: 'a-username', password: 'a-password' }
const races = 400

describe('dashboard', () => {
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const [title, env] of Object.entries({ plain: {}, encrypted: secrets })) {
    it(`keeps accounts and sessions over a restart, ${title}`, async () => {
      const { account } = await step('register', user, { env })
      assert(account.accountid.startsWith('account_'))
      const first = await step('signin', user, { env })
      const second = await step('signin', user, { env })
      assert.strictEqual(first.session.accountid, account.accountid)
      assert.deepStrictEqual(second.sessions, [second.session.sessionid, first.session.sessionid])
    }).timeout(60000)

    it(`a sign-in is what Dashboard's own is, in one commit, ${title}`, async () => {
      const { results: [hosts, ours], failed } = await step('bothSignins', {}, { env, modules: ['dashboard-sled'] })
      const signIns = hosts.answers.filter(([answer]) => answer.object).length
      assert.deepStrictEqual([signIns, hosts.commits - ours.commits], [3, 3 * signIns])
      delete hosts.commits
      delete ours.commits
      assert.deepStrictEqual(ours, hosts)
      assert.deepStrictEqual(failed, ['store-closed', 'before'])
    }).timeout(60000)

    it(`the statistics say how sign-ins are made, ${title}`, async () => {
      const { states } = await step('signInStates', {}, { env, modules: ['dashboard-sled'] })
      assert.deepStrictEqual(states, ['one-commit', 'replaced', 'one-commit', 'other-version'])
    }).timeout(60000)

    for (const modules of [[], ['dashboard-sled']]) {
      const setup = `${modules.length ? 'with our module' : 'with STORAGE alone'}, ${title}`

      it(`${races} sign-ins undo no reset, ${setup}`, async () => {
        const { undone, warnings } = await step('signins', { count: races }, { env, modules })
        assert.deepStrictEqual([undone, warnings.map(codeOf)], [0, notListed(modules)])
      }).timeout(60000)
      it(`${races} verifications revive no ended session, ${setup}`, async () => {
        const { revived, warnings } = await step('endings', { count: races }, { env, modules })
        assert.deepStrictEqual([revived, warnings.map(codeOf)], [0, notListed(modules)])
      }).timeout(120000)
    }
    it(`300 resets at once raise the number by 300, ${title}`, async () => {
      const { raised } = await step('resets', { count: 300 }, { env, modules: ['dashboard-sled'] })
      assert.strictEqual(raised, 300)
    }).timeout(60000)
  }

  it('answers requests over HTTP natively', async () => {
    const result = await step('http', {}, { modules: ['dashboard-sled'] })
    assert.strictEqual(result.isOurs, true)
    // Answered, not signed in, unknown, and signed out by the reset.
    assert.deepStrictEqual(result.kinds, ['200 session', '200 signin', '500 error', '200 signin'])
    // Twice by the route, and twice by the gate, which asks where its cache cannot answer: at first, and after the reset.
    assert.strictEqual(result.answered, 4)
    const [session, unknown] = result.bodies.map((body) => JSON.parse(body))
    assert.strictEqual(session.sessionid, result.sessionid)
    assert.strictEqual(session.tokenHash, undefined)
    assert.deepStrictEqual(unknown, { object: 'error', message: 'invalid-sessionid' })
    assert.deepStrictEqual(result.warnings, [])
  }).timeout(60000)

  it('keeps the host\'s routes and warns when the data is elsewhere', async () => {
    const env = { STORAGE: '', STORAGE_PATH: path.join(folder, 'files') }
    const result = await step('http', {}, { env, modules: ['dashboard-sled'] })
    assert.strictEqual(result.isOurs, false)
    assert.strictEqual(result.answered, 0)
    assert.deepStrictEqual(result.kinds, ['200 session', '200 signin', '500 error', '200 signin'])
    assert.strictEqual(result.warnings.length, 1)
    assert(result.warnings[0].startsWith('DASHBOARD_SLED_INACTIVE: '))
    assert(result.warnings[0].includes('STORAGE is not set'))
  }).timeout(60000)

  for (const [title, env] of Object.entries({ plain: {}, encrypted: secrets })) {
    it(`the list of sessions, which the deletion of an account has broken, is repaired, ${title}`, async () => {
      const modules = ['dashboard-sled']
      assert.deepStrictEqual(await step('deletion', {}, { env, modules }), { failed: 'invalid-accountid', warnings: [] })
      const store = path.join(folder, 'store')
      if (env.ENCRYPTION_SECRET) {
        // The owner's session in both of its lists, and the other session.
        const { code, stdout } = await runTool(['verify', '--repair', '--store', store, '--json'])
        assert.deepStrictEqual([code, JSON.parse(stdout).repairs, JSON.parse(stdout).unreadable], [0, 1, 3])
      }
      const { code, stdout } = await runTool(['verify', '--repair', '--store', store], { env })
      assert.strictEqual(code, 0)
      assert(stdout.includes('the list dashboard/sessions: sessions that are gone, or whose account is, were removed\n'), stdout)
      assert.deepStrictEqual(await step('sessions', {}, { env, modules }), { sessions: 1, warnings: [] })
    }).timeout(60000)
  }

  it('says once that the module is not listed', async () => {
    const { warnings } = await step('register', user)
    assert.strictEqual(warnings.length, 1)
    assert(warnings[0].startsWith('DASHBOARD_SLED_MODULE: dashboard-sled is not listed under dashboard.modules'), warnings[0])
  }).timeout(60000)

  for (const [title, env, sentence] of [
    ['a setting', { SLED_CACHE_MB: 'abc' }, 'SLED_CACHE_MB: abc is not a whole number'],
    ['a folder', { SLED_PATH: __dirname }, 'is not empty and holds no store']
  ]) {
    it(`${title} that keeps it from starting is reported as a sentence without a stack`, async () => {
      const [error] = await step('register', user, { env }).then(() => [], (error) => [error])
      assert(error.message.includes(sentence), error.message)
      // Node adds three lines about an unhandled rejection, and one with its version.
      const lines = error.message.split('\n').filter(Boolean)
      assert(lines.length <= 5, error.message)
      assert(!lines.some((line) => /^\s+at /.test(line)), error.message)
    }).timeout(60000)
  }

  async function step (name, argument, { env = {}, modules = [] } = {}) {
    const application = path.join(folder, `application-${modules.length}`)
    if (!fs.existsSync(application)) {
      fs.mkdirSync(application)
      makeApplication(application, modules)
    }
    return runStep('dashboard.js', name, argument, { application, store: path.join(folder, 'store'), env })
  }
})

function notListed (modules) {
  return modules.length ? [] : ['DASHBOARD_SLED_MODULE']
}

function codeOf (warning) {
  return warning.split(':')[0]
}
