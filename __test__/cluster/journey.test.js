/* eslint-env mocha */
// A user and an administrator at the three Dashboards of `npm run start:cluster`, in a real browser. Every step leaves a picture
// in target/cluster-journey; JOURNEY_PICTURES=keep puts those that docs/cluster.md shows into docs/pictures.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { hasBrowser, launch } = require('../browser/browser.js')
const { npmRun } = require('../browser/npm-run.js')
const { keepPicture } = require('../browser/pictures.js')
const Visitor = require('../browser/visitor.js')
const { until } = require('../helpers/times.js')

const minute = 60 * 1000
const root = path.join(__dirname, '..', '..')
const pictures = path.join(root, 'target', 'cluster-journey')
const inDocument = ['03-user-at-node-3', '04-reset-at-node-2', '05-sign-in-at-node-3']
// The balancer's; those of the nodes follow. The host's suite uses those below, and free-port.js up to 30400.
const port = 31000
const nodes = [1, 2, 3].map((number) => `http://localhost:${port + number}`)
const ownerForm = { username: 'the-owner', password: 'password-of-the-owner' }
const userForm = { username: 'a-user', password: 'password-of-a-user' }

// Otherwise puppeteer's handler of this signal leaves this process alive.
process.once('SIGTERM', () => process.exit(1))

describe('the journey in a cluster', function () {
  this.timeout(5 * minute)
  let folder, env, cluster, browser, owner, user

  before(async function () {
    if (!hasBrowser()) {
      return this.skip()
    }
    fs.rmSync(pictures, { recursive: true, force: true })
    fs.mkdirSync(pictures, { recursive: true })
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-cluster-'))
    // The servers of PostgreSQL may belong to another user.
    fs.chmodSync(folder, 0o755)
    env = { HOST: 'localhost', PORT: String(port), CLUSTER_PATH: path.join(folder, 'cluster') }
    browser = await launch(folder)
    owner = await Visitor.enter(browser, nodes[1], pictures)
    user = await Visitor.enter(browser, nodes[0], pictures)
  })
  afterEach(async function () {
    if (this.currentTest.state === 'failed') {
      await owner.show('failed-owner')
      await user.show('failed-user')
    }
  })
  after(async () => {
    await browser?.close()
    await cluster?.kill()
    if (folder) {
      fs.rmSync(folder, { recursive: true, maxRetries: 10 })
    }
  })

  it('npm run start:cluster', async () => {
    cluster = await npmRun('start:cluster', env)
  }).timeout(20 * minute)

  it('the owner registers at the second node', async () => {
    await owner.open('/')
    await owner.register(ownerForm, '01-owner-registers-at-node-2')
  })

  it('a user registers at the first node', async () => {
    await user.open('/')
    await user.register(userForm, '02-user-registers-at-node-1')
  })

  it('the third node knows the session of the user', async () => {
    user.address = nodes[2]
    await user.open('/account')
    assert.strictEqual(new URL(user.page.url()).port, String(port + 3))
    await user.show('03-user-at-node-3')
  })

  it('the owner resets the session key of the user at the second node', async () => {
    await owner.open('/administrator/accounts')
    const links = await (await owner.content()).$$eval('a[href*="accountid="]', (links) => links.map((link) => link.href))
    // The newest account is the first one.
    const accountid = new URL(links[0]).searchParams.get('accountid')
    await owner.follow(`/administrator/account?accountid=${accountid}`)
    await owner.choose('spillage', '/administrator/reset-session-key')
    await owner.submit()
    assert.strictEqual(await owner.text('#message-container'), 'Success! The user\'s sessions have been ended')
    await owner.show('04-reset-at-node-2')
  })

  it('the third node leads the user to the sign-in page', async () => {
    await user.open('/account')
    await user.arrive('/account/signin')
    assert.strictEqual(new URL(user.page.url()).port, String(port + 3))
    await user.show('05-sign-in-at-node-3')
  })

  it('the user signs in at the third node, and the first one lets the user in', async () => {
    await user.signIn(userForm)
    // Where the user wanted to go.
    await user.arrive('/account')
    user.address = nodes[0]
    await user.open('/account')
    await user.arrive('/account')
    await user.show('06-user-at-node-1')
  })

  it('npm run start:cluster ends on SIGTERM and finds its data again', async () => {
    assert.strictEqual((await cluster.stop()).code, 0)
    cluster = await npmRun('start:cluster', env)
    user.address = `http://localhost:${port}`
    await user.open('/account')
    await user.arrive('/account')
  })

  it('the servers end with npm run start:cluster when it is killed, and the next one finds its data', async () => {
    await cluster.kill()
    cluster = await npmRun('start:cluster', env)
    await user.open('/account')
    await user.arrive('/account')
    const servers = ['primary', 'standby_1', 'standby_2'].map((name) => path.join(env.CLUSTER_PATH, name, 'postmaster.pid'))
    assert(servers.every(fs.existsSync))
    await cluster.kill()
    await until(() => !servers.some(fs.existsSync), { seconds: 60 })
    if (process.env.JOURNEY_PICTURES === 'keep') {
      for (const name of inDocument) {
        keepPicture(path.join(pictures, `${name}.png`), path.join(root, 'docs', 'pictures', `${name.replace(/^\d+/, 'cluster')}.webp`))
      }
    }
  })
})
