/* eslint-env mocha */
// `npm run test:browser`: people at the example of `npm start`, in a real browser. Every step leaves a picture
// in target/journey; JOURNEY_PICTURES=keep puts those that README shows into docs/pictures,
// for which it takes pngquant and cwebp.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { hasBrowser, launch } = require('./browser.js')
const { npmRun } = require('./npm-run.js')
const { keepPicture } = require('./pictures.js')
const Visitor = require('./visitor.js')

const minute = 60 * 1000
const root = path.join(__dirname, '..', '..')
const pictures = path.join(root, 'target', 'journey')
const inReadme = ['02-owner-registers', '09-reset', '10-sign-in-again', '12-session-ended']
const ownerForm = { username: 'the-owner', password: 'password-of-the-owner' }
const userForm = { username: 'a-user', password: 'password-of-a-user' }

// Otherwise puppeteer's handler of this signal leaves this process alive.
process.once('SIGTERM', () => process.exit(1))

describe('the journey in a browser', function () {
  this.timeout(5 * minute)
  let folder, address, env, server, browser, owner, user
  // The user's first session, which signing out ends, and the one that the reset ends.
  let signedOut, reset
  let sessions

  before(async function () {
    if (!hasBrowser()) {
      return this.skip()
    }
    fs.rmSync(pictures, { recursive: true, force: true })
    fs.mkdirSync(pictures, { recursive: true })
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-journey-'))
    const port = await freePort()
    address = `http://localhost:${port}`
    // The public API shows what the host's pages do not: when a session has ended.
    env = { HOST: 'localhost', PORT: String(port), SLED_PATH: path.join(folder, 'store'), ALLOW_PUBLIC_API: 'true' }
    browser = await launch(folder)
    owner = await Visitor.enter(browser, address, pictures)
    user = await Visitor.enter(browser, address, pictures)
  })
  afterEach(async function () {
    if (this.currentTest.state === 'failed') {
      await owner.show('failed-owner')
      await user.show('failed-user')
    }
  })
  after(async () => {
    if (browser) {
      await browser.close()
    }
    if (server) {
      await server.kill()
    }
    if (folder) {
      fs.rmSync(folder, { recursive: true, maxRetries: 10 })
    }
  })

  it('npm start', async () => {
    server = await npmRun('start', env)
    await owner.open('/')
    await owner.show('01-landing')
  }).timeout(20 * minute)

  it('the owner registers and is the administrator', async () => {
    await owner.register(ownerForm, '02-owner-registers')
    await owner.openMenu('administrator-menu')
    await owner.show('03-owner-home')
    await owner.choose('administrator-menu', '/administrator')
    assert.strictEqual(await owner.text('h1'), 'Administration')
    await owner.show('04-administration')
  })

  it('a user registers, signs out and signs in', async () => {
    await user.open('/')
    await user.register(userForm, '05-user-registers')
    assert.strictEqual(await user.page.$eval('#administrator-menu-container', (menu) => menu.style.display), 'none')
    signedOut = await user.sessionid()
    await user.choose('account-menu', '/account/signout')
    await user.arrive('/account/signout-complete')
    await user.show('06-user-signed-out')
    await user.follow('/account/signin')
    await user.signIn(userForm)
    await user.arrive('/home')
    await user.show('07-user-signed-in')
    reset = await user.sessionid()
    assert.notStrictEqual(reset, signedOut)
  })

  it('the owner resets the session key of the user', async () => {
    sessions = await listSessions()
    assert.deepStrictEqual(Object.keys(sessions), [reset, signedOut, await owner.sessionid()])
    assert.strictEqual(sessions[reset].ended, undefined)
    assert(sessions[signedOut].ended)
    const { accountid } = sessions[reset]
    await owner.open('/administrator')
    await owner.follow('/administrator/sessions')
    assert((await owner.text(`#${reset}`)).startsWith(reset))
    await owner.show('08-sessions')
    await owner.follow(`/administrator/account?accountid=${accountid}`)
    assert.strictEqual(await owner.text('h1'), `View ${accountid}`)
    await owner.choose('spillage', '/administrator/reset-session-key')
    await owner.submit()
    assert.strictEqual(await owner.text('#message-container'), 'Success! The user\'s sessions have been ended')
    await owner.show('09-reset')
  })

  it('the next click of the user leads to the sign-in page', async () => {
    await user.choose('account-menu', '/account')
    await user.arrive('/account/signin')
    assert.strictEqual(await user.text('h1'), 'Sign in')
    await user.show('10-sign-in-again')
  })

  it('the list of the administrator shows the session as ended', async () => {
    await owner.open('/administrator/sessions')
    assert((await owner.text(`#${reset}`)).startsWith(reset))
    await owner.show('11-sessions')
    const after = await listSessions('12-session-ended')
    const { ended } = after[reset]
    // In whole seconds, and the host's clock ticks late at times; by expiry it would be minutes later.
    assert(ended >= after[reset].created && ended <= Date.now() / 1000, `ended: ${ended}`)
    sessions[reset].ended = ended
    assert.deepStrictEqual(after, sessions)
  })

  it('after a kill -9 it still is ended, and both sign in', async () => {
    await server.kill()
    server = await npmRun('start', env)
    await user.open('/home')
    await user.arrive('/account/signin')
    await user.show('13-user-after-kill')
    assert.deepStrictEqual(await listSessions('14-session-ended-after-kill'), sessions)
    await user.signIn(userForm)
    await user.arrive('/home')
    await user.show('15-user-signed-in-after-kill')
    await owner.open('/home')
    await owner.choose('account-menu', '/account/signout')
    await owner.arrive('/account/signout-complete')
    await owner.follow('/account/signin')
    await owner.signIn(ownerForm)
    await owner.arrive('/home')
    const after = await listSessions('16-sessions-after-kill')
    const both = [await owner.sessionid(), await user.sessionid()]
    assert.deepStrictEqual(Object.keys(after), [...both, ...Object.keys(sessions)])
    both.forEach((sessionid) => assert.strictEqual(after[sessionid].ended, undefined))
    assert.deepStrictEqual(after[reset], sessions[reset])
  })

  it('npm start ends on SIGTERM and leaves no server behind', async () => {
    const { code, said } = await server.stop()
    assert.strictEqual(code, 0)
    assert(said.endsWith('\nStopped; the next start finds the data\n'), said)
    await assert.rejects(user.open('/'), /ERR_CONNECTION_REFUSED/)
    if (process.env.JOURNEY_PICTURES === 'keep') {
      for (const name of inReadme) {
        keepPicture(path.join(pictures, `${name}.png`), path.join(root, 'docs', 'pictures', `${name.replace(/^\d+-/, '')}.webp`))
      }
    }
  })

  // By id, newest first: what the host's list tells an administrator.
  async function listSessions (picture) {
    const response = await owner.open('/api/administrator/sessions')
    const list = await response.json()
    if (picture) {
      // The only control; pressing it prints the JSON in lines.
      await owner.page.keyboard.press('Tab')
      await owner.page.keyboard.press('Space')
      await owner.show(picture)
    }
    return Object.fromEntries(list.map((session) => [session.sessionid, session]))
  }
})
