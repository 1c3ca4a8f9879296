// A person at a browser: opens, types, clicks, and keeps a picture of what there is to see.
const path = require('path')

const minute = 60 * 1000

module.exports = class Visitor {
  // In a browser context, with cookies, of their own.
  static async enter (browser, address, pictures) {
    const context = await browser.createIncognitoBrowserContext()
    const page = await context.newPage()
    page.setDefaultTimeout(minute)
    return new Visitor(page, address, pictures)
  }

  constructor (page, address, pictures) {
    Object.assign(this, { page, address, pictures })
  }

  open (url) {
    return this.page.goto(this.address + url)
  }

  async show (name) {
    await this.page.screenshot({ path: path.join(this.pictures, `${name}.png`), fullPage: true })
  }

  // The whole page, also what its frame would have to be scrolled for.
  async showAll (name) {
    const { width, height } = this.page.viewport()
    // In a low window the page is as high as what is on it.
    await this.page.setViewport({ width, height: 300 })
    const content = await this.content()
    const needed = await content.evaluate(() => document.documentElement.scrollHeight)
    await this.page.setViewport({ width, height: needed + 140 })
    await this.show(name)
    await this.page.setViewport({ width, height })
  }

  // Most of the host's pages stand in a frame, below its menus; the ones for signing in do not.
  async content () {
    for (let tries = 0; tries < 200; tries++) {
      const iframe = await this.page.$('#application-iframe')
      if (!iframe) {
        return this.page.mainFrame()
      }
      const frame = await iframe.contentFrame()
      // On a busy machine it is empty at first, and replaced while it is asked.
      if (await frame?.evaluate(() => document.URL === 'about:srcdoc' && document.readyState === 'complete').catch(() => false)) {
        return frame
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`the page in the frame of ${this.page.url()} does not load`)
  }

  async text (selector) {
    const content = await this.content()
    return content.$eval(selector, (element) => element.innerText.trim())
  }

  async value (selector) {
    const content = await this.content()
    return content.$eval(selector, (element) => element.value)
  }

  // The text of each cell of a table by its rows, none if there is no such table.
  async rows (selector) {
    const content = await this.content()
    return content.$$eval(`${selector} tbody tr`, (rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())))
  }

  async fill (form) {
    for (const [name, value] of Object.entries(form)) {
      await this.page.type(`#${name}`, value)
    }
  }

  async register (form, picture) {
    await this.follow('/account/register')
    await this.fill({ ...form, confirm: form.password })
    await this.show(picture)
    await this.submit()
    await this.arrive('/home')
  }

  async signIn (form) {
    await this.fill(form)
    await this.submit()
  }

  async submit () {
    const content = await this.content()
    await this.leave(content.click('#submit-button'))
  }

  async follow (href) {
    const content = await this.content()
    await this.leave(content.click(`a[href^="${href}"]`))
  }

  // The host's menus open under the mouse.
  async openMenu (name) {
    await this.page.hover(`#${name}-container`)
    await this.wait((name) => document.querySelector(`#${name} a`).getClientRects().length, name)
  }

  async choose (name, href) {
    await this.openMenu(name)
    await this.leave(this.page.click(`#${name} a[href="${href}"], #${name} a[href^="${href}?"]`))
  }

  leave (click) {
    return Promise.all([this.page.waitForNavigation(), click])
  }

  // The host sends some visitors on by a page that says so for a moment.
  async arrive (pathname) {
    const arrived = (pathname) => window.location.pathname === pathname && document.readyState === 'complete'
    try {
      await this.wait(arrived, pathname)
    } catch (error) {
      throw new Error(`${this.page.url()} is shown instead of ${pathname}`, { cause: error })
    }
  }

  // Looks by the clock: with each frame, as it is the default, would be late in a page that lies behind another.
  wait (condition, argument) {
    return this.page.waitForFunction(condition, { polling: 100 }, argument)
  }

  async sessionid () {
    const cookies = await this.page.cookies()
    return cookies.find((cookie) => cookie.name === 'sessionid').value
  }
}
