/* eslint-env mocha */
// `npm run test:browser`: an administrator and a user with two devices at the pages about sessions, the audit and the store, in a
// real browser. Pictures are in target/sessions-journey; JOURNEY_PICTURES=keep puts those of README into docs/pictures.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { assertAccessible, tabTo } = require('./accessible.js')
const { hasBrowser, launch } = require('./browser.js')
const { keepPicture } = require('./pictures.js')
const { serve } = require('./served.js')
const Visitor = require('./visitor.js')

const minute = 60 * 1000
const root = path.join(__dirname, '..', '..')
const pictures = path.join(root, 'target', 'sessions-journey')
// The picture of the store is of an hour under load, so it is not made here.
const inReadme = { '01-live-sessions': 'live-sessions', '03-confirmation': 'end-sessions', '05-audit': 'audit' }
const sizes = { '': { width: 1280, height: 800 }, '-narrow': { width: 400, height: 800 } }
const ownerForm = { username: 'the-owner', password: 'password-of-the-owner' }
const userForm = { username: 'a-user', password: 'password-of-a-user' }
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1'
const laptop = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/119.0'
const desktop = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36'
// Text that would be code in the page, in the frame around it, or in Dashboard's templates.
const hostile = '</bdi></textarea>"\'><img src=x onerror="top.hacked=1"> &lt;img src=x onerror=top.hacked=2&gt; ${global.hacked=3} {{style}} `\\' // eslint-disable-line no-template-curly-in-string

describe('the pages about sessions in a browser', function () {
  this.timeout(3 * minute)
  let folder, server, browser, owner, onPhone, onLaptop, onTablet
  let ownerid, userid

  before(async function () {
    if (!hasBrowser()) {
      return this.skip()
    }
    fs.rmSync(pictures, { recursive: true, force: true })
    fs.mkdirSync(pictures, { recursive: true })
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-sessions-'))
    server = await serve(folder)
    browser = await launch(folder)
    const enter = async (agent) => {
      const visitor = await Visitor.enter(browser, server.address, pictures)
      await visitor.page.setViewport(sizes[''])
      await visitor.page.setUserAgent(agent)
      await visitor.open('/')
      return visitor
    }
    owner = await enter(desktop)
    onPhone = await enter(phone)
    onLaptop = await enter(laptop)
    onTablet = await enter(hostile)
  })
  afterEach(async function () {
    if (this.currentTest.state === 'failed') {
      await owner.show('failed-owner')
      await onPhone.show('failed-phone')
      await onLaptop.show('failed-laptop')
    }
  })
  after(async () => {
    browser && await browser.close()
    server && await server.stop()
    folder && fs.rmSync(folder, { recursive: true, maxRetries: 10 })
  })

  it('a user signs in on two devices', async () => {
    await owner.register(ownerForm, 'owner-registers')
    await onPhone.register(userForm, 'user-registers')
    await onLaptop.follow('/account/signin')
    await onLaptop.signIn(userForm)
    await onLaptop.arrive('/home')
  })

  it('the administrator sees the devices of all, by the menu', async () => {
    await owner.openMenu('administrator-menu')
    await owner.choose('administrator-menu', '/administrator/live-sessions')
    assert.strictEqual(await owner.text('h1'), 'Live sessions')
    const rows = await owner.rows('#sessions-table')
    assert.strictEqual(rows.length, 3)
    const [onWindows, iPhone, own] = rows
    assert.match(onWindows[0], /^Firefox 119 on Windows\s+(127\.0\.0\.1|::1)$/)
    assert.match(iPhone[0], /^Safari 17 on iPhone\s/)
    assert.match(own[0], /^Chrome 119 on Linux \(this session\)/)
    assert.match(iPhone[1], /^(just now|\d+ (seconds|minutes?) ago)\s+signed in \d{4}-\d\d-\d\d \d\d:\d\d$/)
    assert.strictEqual(iPhone[3], await onPhone.sessionid())
    userid = iPhone[2]
    ownerid = own[2]
    await look(owner, '01-live-sessions')
  })

  it('a search finds an account, a session, and nothing of what does not exist', async () => {
    await search(userid)
    assert.strictEqual((await owner.rows('#sessions-table')).length, 2)
    assert.strictEqual(await owner.text('#end-account'), `End all sessions of ${userid}`)
    await search(await onPhone.sessionid())
    assert.strictEqual((await owner.rows('#sessions-table')).length, 1)
    await search(hostile)
    assert.strictEqual(await owner.text('#unknown'), 'There is no account and no session with this ID.')
    assert.strictEqual(await owner.value('#search'), hostile)
    await look(owner, '02-unknown')
  })

  it('the confirmation says what will happen, and ends it with a reason', async () => {
    await search(userid)
    await owner.follow(`/administrator/end-sessions?sessionid=${await onPhone.sessionid()}`)
    assert.strictEqual(await owner.text('#plan'), `1 session of ${userid} will end at once. The next click there leads to the sign-in page.`)
    assert.match(await owner.text('#planned'), /Safari 17 on iPhone, (127\.0\.0\.1|::1), last seen/)
    await (await owner.content()).type('#reason', 'The phone was lost')
    await look(owner, '03-confirmation')
    await owner.submit()
    assert.strictEqual(await owner.text('#message-container'), 'Success! 1 session was ended')
    await look(owner, '04-ended')
  })

  it('the next click there leads to the sign-in page, the other device goes on', async () => {
    await onPhone.open('/account')
    await onPhone.arrive('/account/signin')
    await onLaptop.open('/account')
    assert.strictEqual(await onLaptop.text('h1'), 'Account')
  })

  it('the audit says who ended it, and why', async () => {
    await owner.openMenu('administrator-menu')
    await owner.choose('administrator-menu', '/administrator/audit')
    const [entry, ...others] = await owner.rows('#audit-table')
    assert.deepStrictEqual(others, [])
    const [when, what, by, why, from] = entry
    assert.match(when, /^\d{4}-\d\d-\d\d \d\d:\d\d\s+entry 1$/)
    assert.match(what, new RegExp(`^Ended by an administrator\\s+session_\\w+\\s+${userid}$`))
    assert.strictEqual(by, `Administrator ${ownerid}`)
    assert.strictEqual(why, 'The phone was lost')
    assert.match(from, /^Chrome 119 on Linux/)
    await look(owner, '05-audit')
  })

  it('the filter keeps what fits', async () => {
    const fitting = {
      [`accountid=${userid}`]: 1,
      [`accountid=${ownerid}`]: 0,
      [`actor=${ownerid}`]: 1,
      'cause=ended-by-administrator': 1,
      'cause=idle': 0,
      'since=2100-01-01T00:00': 0,
      'until=2020-01-01T00:00': 0,
      'since=2020-01-01T00:00&until=2100-01-01T00:00': 1
    }
    for (const [query, expected] of Object.entries(fitting)) {
      await owner.open(`/administrator/audit?${query}`)
      assert.strictEqual((await owner.rows('#audit-table')).length, expected, query)
    }
    const content = await owner.content()
    await content.select('#cause', 'ended-by-administrator')
    await owner.leave(content.click('#filter-button'))
    assert.strictEqual(await owner.value('#cause'), 'ended-by-administrator')
    assert.strictEqual((await owner.rows('#audit-table')).length, 1)
    await owner.open('/administrator/audit?cause=invented')
    assert.strictEqual(await owner.text('#message-container'), 'Error! There is no such cause.')
  })

  it('the downloads have the entry', async () => {
    await owner.open(`/administrator/audit?accountid=${userid}`)
    await owner.leave((await owner.content()).click('#download'))
    await look(owner, '09-download')
    const [csv, jsonl] = [await download('#download-csv'), await download('#download-jsonl')]
    const [names, line, end] = csv.split('\r\n')
    assert.match(names, /^number,time,cause,/)
    assert(line.startsWith('1,') && line.includes(`,ended-by-administrator,${userid},`), line)
    assert(line.includes(',The phone was lost,'), line)
    assert.strictEqual(end, '')
    const event = JSON.parse(jsonl)
    assert.strictEqual(event.initiating_entity, 'admin')
    assert.strictEqual(event.reason_admin, 'The phone was lost')
    assert.strictEqual(event.actor.accountid, ownerid)
  })

  it('the store is drawn, with the same in tables', async () => {
    await owner.open('/administrator/store')
    const content = await owner.content()
    const titles = await content.$$eval('svg title', (titles) => titles.map((title) => title.textContent))
    assert.strictEqual(titles.length, 7)
    assert(titles.includes('Live sessions, and those used in the last 5 minutes, ended or not'), titles.join())
    assert.match(await content.$eval('#sessions-desc', (text) => text.textContent), /^live: last 2, /)
    await content.click('#values summary')
    assert((await owner.rows('#values-table')).length >= 1)
    assert.match(await owner.text('#ends-table'), /Ended by an administrator\s+1$/)
    await look(owner, '06-store')
  })

  it('text that is code in a page stays text: of a device, and of a reason', async () => {
    await onTablet.follow('/account/signin')
    await onTablet.signIn(userForm)
    await onTablet.arrive('/home')
    await owner.open('/administrator/live-sessions')
    const [[device]] = await owner.rows('#sessions-table')
    assert(device.startsWith(hostile.slice(0, 40)), device)
    const content = await owner.content()
    assert.strictEqual(await content.$eval('#sessions-table bdi', (device) => device.title), hostile)
    await look(owner, '10-hostile-device')
    await owner.follow(`/administrator/end-sessions?sessionid=${await onTablet.sessionid()}`)
    await (await owner.content()).type('#reason', hostile)
    await look(owner, '11-hostile-confirmation')
    await owner.submit()
    await owner.open('/administrator/audit')
    const [[, , , why]] = await owner.rows('#audit-table')
    assert.strictEqual(why, hostile)
    await look(owner, '12-hostile-audit')
    await search(await onTablet.sessionid())
    assert.match(await owner.text('#ended'), /Ended by an administrator/)
    await look(owner, '13-hostile-end')
    await onTablet.open('/account')
    await onTablet.arrive('/account/signin')
    await onTablet.signIn(userForm)
    await onTablet.arrive('/account')
    await onTablet.open('/account/live-sessions')
    await look(onTablet, '14-hostile-own')
  })

  it('a user sees the own devices, and ends all but this one, without JavaScript and without a mouse', async () => {
    await onPhone.signIn(userForm)
    await onPhone.arrive('/account')
    await onLaptop.page.setJavaScriptEnabled(false)
    await onLaptop.open('/account/live-sessions')
    const rows = await onLaptop.rows('#sessions-table')
    assert.match(rows[0][0], /^Safari 17 on iPhone/)
    assert.deepStrictEqual(rows.map(([device]) => /\(this session\)/.test(device)), [false, false, true])
    await onLaptop.page.setJavaScriptEnabled(true)
    await look(onLaptop, '07-own-sessions')
    await onLaptop.page.setJavaScriptEnabled(false)
    await onLaptop.open('/account/live-sessions')
    await tabTo(onLaptop, '#end-others')
    await onLaptop.leave(onLaptop.page.keyboard.press('Enter'))
    assert.strictEqual(await onLaptop.text('#plan'), '2 sessions, all but this one, will end at once. The next click there leads to the sign-in page.')
    await onLaptop.page.setJavaScriptEnabled(true)
    await look(onLaptop, '08-own-confirmation')
    await onLaptop.page.setJavaScriptEnabled(false)
    await onLaptop.open('/account/end-sessions')
    await tabTo(onLaptop, '#submit-button')
    await onLaptop.leave(onLaptop.page.keyboard.press('Enter'))
    assert.strictEqual(await onLaptop.text('#message-container'), 'Success! 2 sessions were ended')
    assert.strictEqual((await onLaptop.rows('#sessions-table')).length, 1)
    await onLaptop.page.setJavaScriptEnabled(true)
    await onPhone.open('/account')
    await onPhone.arrive('/account/signin')
    await onTablet.open('/account')
    await onTablet.arrive('/account/signin')
  })

  it('a form of another session ends nothing', async () => {
    const sessionid = await onLaptop.sessionid()
    await owner.open(`/administrator/end-sessions?sessionid=${sessionid}`)
    const content = await owner.content()
    await content.$eval('input[name=form]', (input) => { input.value = input.value.replace(/\w{8}$/, '00000000') })
    await content.type('#reason', 'a reason to keep')
    await owner.submit()
    assert.strictEqual(await owner.text('#message-container'), 'Error! The form was not from this session. Look at it again, then send it.')
    assert.strictEqual(await owner.value('#reason'), 'a reason to keep')
    await onLaptop.open('/account')
    assert.strictEqual(await onLaptop.text('h1'), 'Account')
  })

  it('a user gets none of the pages of administrators', async () => {
    for (const page of ['live-sessions', 'end-sessions', 'audit', 'audit-download', 'audit-file?format=csv', 'store']) {
      const response = await onLaptop.open(`/administrator/${page}`)
      assert.strictEqual(response.status(), 500, page)
      assert.strictEqual(await onLaptop.text('h1'), 'Error 500, An error ocurred')
    }
    const foreign = await onLaptop.open(`/account/end-sessions?sessionid=${await owner.sessionid()}`)
    assert.strictEqual(foreign.status(), 200)
    assert.strictEqual(await onLaptop.text('#message-container'), 'Error! There is no such session.')
  })

  it('the administrator ends the rest by the keyboard, and the own session with a warning', async () => {
    await owner.open('/administrator/live-sessions')
    const sessionid = await owner.sessionid()
    await tabTo(owner, `a[href="/administrator/end-sessions?sessionid=${await onLaptop.sessionid()}"]`)
    await owner.leave(owner.page.keyboard.press('Enter'))
    await tabTo(owner, '#reason')
    await owner.page.keyboard.type('left the company')
    await tabTo(owner, '#submit-button')
    await owner.leave(owner.page.keyboard.press('Enter'))
    assert.strictEqual(await owner.text('#message-container'), 'Success! 1 session was ended')
    await onLaptop.open('/account')
    await onLaptop.arrive('/account/signin')
    await owner.open(`/administrator/end-sessions?sessionid=${sessionid}`)
    assert.match(await owner.text('#own-session'), /^This includes the session that you use now/)
    await owner.submit()
    await owner.arrive('/account/signin')
  })

  it('the administrator ends all sessions of the application, with a warning', async () => {
    await owner.signIn(ownerForm)
    await onLaptop.signIn(userForm)
    await owner.open('/administrator/live-sessions')
    await owner.leave((await owner.content()).click('#end-all'))
    await look(owner, '15-end-all')
    assert.match(await owner.text('#plan'), /^Every session of the application ends at once/)
    assert.match(await owner.text('#own-session'), /^This includes the session that you use now/)
    assert.strictEqual(await owner.text('#submit-button'), 'End all sessions')
    await owner.submit()
    await owner.arrive('/account/signin')
    await onLaptop.open('/account')
    await onLaptop.arrive('/account/signin')
  })

  it('the pictures for README', () => {
    if (process.env.JOURNEY_PICTURES === 'keep') {
      for (const [name, kept] of Object.entries(inReadme)) {
        keepPicture(path.join(pictures, `${name}.png`), path.join(root, 'docs', 'pictures', `${kept}.webp`))
      }
    }
  })

  // A page as people see it, wide and narrow, and as axe does. Nothing lies beside the page.
  async function look (visitor, name) {
    for (const [suffix, size] of Object.entries(sizes)) {
      await visitor.page.setViewport(size)
      const content = await visitor.content()
      const over = await content.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert(over <= 0, `${name}${suffix} is ${over} points too wide`)
      await visitor.showAll(`${name}${suffix}`)
      await assertAccessible(visitor)
    }
    await visitor.page.setViewport(sizes[''])
    assert.strictEqual(await visitor.page.evaluate(() => window.hacked), undefined)
  }

  async function search (text) {
    await owner.open('/administrator/live-sessions')
    const content = await owner.content()
    await content.type('#search', text)
    await owner.leave(content.click('#search-button'))
  }

  // Returns the file that a click on a link downloads.
  async function download (selector) {
    const into = fs.mkdtempSync(path.join(folder, 'downloads-'))
    const client = await owner.page.target().createCDPSession()
    await client.send('Page.setDownloadBehavior', { behavior: 'allow', downloadPath: into })
    const content = await owner.content()
    await content.click(selector)
    for (let tries = 0; tries < 200; tries++) {
      const [name] = fs.readdirSync(into).filter((name) => /^audit-\d{4}-\d\d-\d\d\.(csv|jsonl)$/.test(name))
      const text = name && fs.readFileSync(path.join(into, name), 'utf8')
      // The browser makes an empty file first.
      if (text) {
        return text
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.fail(`${selector} left no file`)
  }
})
