/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('./contract/make-application.js')
const { makeFolder } = require('./helper.js')
const { runStep } = require('./helpers/real-dashboard.js')

// Routes that answer with the session that they were given.
const probe = 'get: (req, res) => {\n    const answer = { session: req.session ? req.session.sessionid : null }\n    return res ? res.end(JSON.stringify(answer)) : answer\n  }'
const routes = {
  'probe.js': `module.exports = { ${probe} }\n`,
  'open.js': `module.exports = { auth: false, ${probe} }\n`,
  'api/probe.js': `module.exports = { auth: true, ${probe} }\n`
}
const listed = ['first', 'dashboard-sled', 'last']
const unlisted = ['first', 'last']

describe('gate', () => {
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('a session that has ended is answered like none, however it ended', async () => {
    const { found: { none, ...ended }, clock, nobody, warnings } = await step('endings')
    for (const way in none) {
      assert.strictEqual(none[way].status, 200)
      assert(JSON.parse(none[way].body).session.startsWith('session_'), way)
    }
    assert.deepStrictEqual([nobody.page.status, nobody.api.status, nobody.server.status, nobody.open.status], [200, 511, 500, 200])
    assert(nobody.page.body.includes('/account/signin?return-url=/probe%3Fa=1%26b=2'), nobody.page.body)
    assert.deepStrictEqual(JSON.parse(nobody.api.body), { object: 'auth', message: 'Sign in required' })
    assert.strictEqual(nobody.open.body, '{"session":null}')
    for (const ending in ended) {
      assert.deepStrictEqual(withoutNumbers(ended[ending]), withoutNumbers(nobody), ending)
      // The browser forgets the cookie, unless nobody knows the session any more.
      const cleared = Object.values(ended[ending]).map(({ cookies = [] }) => cookies.map((cookie) => cookie.split(';')[0]).join())
      const both = 'sessionid=x,token=x'
      assert.deepStrictEqual(cleared, ending === 'account deleted' ? ['', '', '', ''] : [both, both, '', both], ending)
    }
    assert.deepStrictEqual(clock, [false, true])
    assert.deepStrictEqual(warnings, [])
  }).timeout(60000)

  // Dashboard alone lets these sessions in, therefore the test above fails without the module.
  for (const [title, modules, env] of [['is not listed', unlisted, {}], ['has no store', listed, { STORAGE: '' }]]) {
    it(`does nothing where the module ${title}`, async () => {
      const { found, clock, warnings } = await step('endings', {}, modules, { STORAGE_PATH: path.join(folder, 'files'), ...env })
      const letIn = Object.entries(found).map(([ending, answers]) => [ending, Object.keys(answers).filter((way) => isLetIn(answers[way]))])
      assert.deepStrictEqual(Object.fromEntries(letIn), {
        none: ['page', 'api', 'server', 'open'],
        expired: ['page', 'api', 'server', 'open'],
        ended: ['server'],
        reset: ['server'],
        'reset by the user': ['server'],
        'number lower': ['page', 'api', 'server', 'open'],
        'account deleted': []
      })
      assert.deepStrictEqual(clock, [true, true])
      assert.deepStrictEqual(warnings, [modules === listed ? 'DASHBOARD_SLED_INACTIVE' : 'DASHBOARD_SLED_MODULE'])
    }).timeout(60000)
  }

  it('signing in and out goes on with a session that has expired', async () => {
    const { form, signin, signout, complete } = await step('signing')
    assert.strictEqual(form.status, 200)
    assert(form.body.includes('password'), form.body)
    assert.deepStrictEqual([signin.status, signin.location], [302, '/home'])
    assert(signin.cookies[0].startsWith('sessionid=session_'), signin.cookies[0])
    assert.deepStrictEqual([signout.status, signout.location], [302, '/account/signout-complete'])
    assert(signout.cookies[0].startsWith('sessionid=x; '), signout.cookies[0])
    assert.strictEqual(complete.status, 200)
    assert(complete.body.includes('Signout complete'), complete.body)
  }).timeout(60000)

  it('the session is that of the application that a later handler names', async () => {
    assert.deepStrictEqual((await step('tenant')).letIn, [true, false])
    assert.deepStrictEqual((await step('tenant', {}, unlisted)).letIn, [true, true])
  }).timeout(60000)

  it('finds the session in a cookie that the host finds', async () => {
    const alive = ['sessionid=alive', 'sessionid=expired;sessionid=alive', 'sessionid=alive; xsessionid=expired']
    assert.deepStrictEqual((await step('cookies')).letIn, alive)
    const expired = ['sessionid=expired', 'sessionid=alive;sessionid=expired', ' sessionid =expired', 'sessionid=%65xpired', 'sessionid=expired; sessionid']
    assert.deepStrictEqual((await step('cookies', {}, unlisted)).letIn.sort(), [...alive, ...expired].sort())
  }).timeout(60000)

  it('of 2,000 random sessions, those are let in that Session.get calls alive', async () => {
    const count = 2000
    const { alive, odd, letIn, hidden, wrong, handlers } = await step('random', { count, seed: 15 })
    assert.deepStrictEqual(wrong.slice(0, 5), [])
    // The modules with handlers saw none of the others either, before ours and after it.
    assert.deepStrictEqual(handlers.slice(0, 5), [])
    assert(alive > 300 && alive < 1000 && odd > 50 && hidden > 2000, JSON.stringify({ alive, odd, letIn, hidden }))
    assert.strictEqual(letIn.server, alive)
    // Control: Dashboard alone, with a fifth of the sessions.
    const control = await step('random', { count: count / 5, seed: 15 }, unlisted)
    for (const way in letIn) {
      assert(letIn[way] > 250 && control.letIn[way] * 5 > letIn[way] * 1.5, JSON.stringify([letIn, control.letIn]))
    }
    assert(control.wrong.length > 100 && control.handlers.length > 100)
  }).timeout(120000)

  async function step (name, argument = {}, modules = listed, env = {}) {
    const application = path.join(folder, `application-${modules.length}`)
    if (!fs.existsSync(application)) {
      fs.mkdirSync(path.join(application, 'src', 'www', 'api'), { recursive: true })
      makeApplication(application, modules)
      for (const route in routes) {
        fs.writeFileSync(path.join(application, 'src', 'www', route), routes[route])
      }
    }
    return runStep('gate.js', name, argument, {
      application,
      store: path.join(folder, `store-${modules.length}`),
      env: { APPLICATION_SERVER: 'http://localhost:9', APPLICATION_SERVER_TOKEN: 'a-server-token', ...env }
    })
  }
})

function isLetIn ({ status, body }) {
  return status === 200 && body.startsWith('{') && JSON.parse(body).session !== null
}

function withoutNumbers (answers) {
  return Object.entries(answers).map(([way, { number, cookies, ...answer }]) => [way, answer])
}
