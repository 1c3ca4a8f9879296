/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('./contract/make-application.js')
const { makeFolder } = require('./helper.js')
const { runStep } = require('./helpers/real-dashboard.js')
const { barRows, lineChart } = require('../lib/pages/chart.js')
const { deviceName } = require('../lib/pages/device.js')
const { makeFormToken, readFormToken } = require('../lib/pages/form-token.js')
const { escape, fill } = require('../lib/pages/render.js')
const { ago, moment, readMoment } = require('../lib/pages/times.js')
const Samples = require('../lib/sessions/samples.js')

describe('pages', () => {
  describe('in the real Dashboard', function () {
    this.timeout(60000)
    let folder
    beforeEach(() => {
      folder = makeFolder()
      makeApplication(folder, ['dashboard-sled'])
    })
    afterEach(() => fs.rmSync(folder, { recursive: true }))

    it('are there for an administrator, with entries in the menus', async () => {
      const { statuses, menus } = await step('present')
      assert.deepStrictEqual(statuses, Array(8).fill(200))
      assert.strictEqual(menus, 6)
    })
    it('are not there if Dashboard keeps its data elsewhere', async () => {
      const { statuses, menus } = await step('present', {}, { STORAGE: '', STORAGE_PATH: path.join(folder, 'data') })
      assert.deepStrictEqual([statuses, menus], [Array(8).fill(404), 0])
    })
    it('show each live session once, however many have ended, while others begin', async () => {
      const { expected, seen, pages } = await step('live', { live: 25, ended: 120 })
      assert.deepStrictEqual(seen, expected)
      assert(pages >= 3, pages)
    })
    it('show each entry of the audit once, and files have all of them', async () => {
      const count = 1200
      const { paged, lines, numbers, word, filtered, none } = await step('audit', { count }, { PAGE_SIZE: '100' })
      const all = Array.from({ length: count }, (_, index) => count - index)
      assert.deepStrictEqual([paged, numbers], [all, all])
      assert.deepStrictEqual([lines, word, none], [count + 2, 'system', 500])
      assert.match(filtered, /^number,[^\r\n]+\r\n$/)
    })
    it('say that entries of the audit are missing, and so do files', async () => {
      const { whole, damaged } = await step('missing')
      const sentence = '2 entries are missing in this list, because the store is damaged. Run: npx dashboard-sled audit verify'
      assert.deepStrictEqual([whole.ids.length, whole.info, whole.csv.length, whole.lines.length], [5, undefined, 6, 5])
      assert.deepStrictEqual([damaged.ids, damaged.info], [['entry-5', 'entry-3', 'entry-1'], sentence])
      assert.deepStrictEqual([damaged.csv.length, damaged.csv.pop()], [5, `,,entries-missing,,,,,,,"${sentence}",,,`])
      assert.deepStrictEqual([damaged.lines.length, damaged.lines.pop()], [4, { object: 'entries-missing', missing: 2, detail: sentence }])
    })
    it('tell another application nothing', async () => {
      assert.deepStrictEqual(await step('tenants'), { told: [], texts: 8, warnings: [] })
    })
    it('end nothing without the form of the session, and once if it comes twice', async () => {
      const { refused, both, entries, after, accountid } = await step('forms')
      const foreign = [200, 'The form was not from this session. Look at it again, then send it.']
      assert.deepStrictEqual(refused, [...Array(5).fill(foreign), [200, 'The reason is too long: 500 characters are kept.']])
      const done = [303, '/administrator/live-sessions?message=ended&ended=1&planned=1']
      assert.deepStrictEqual([both, entries], [[done, done], 1])
      assert.strictEqual(after, `There is nothing to end: no such session of ${accountid} is live.`)
    })

    async function step (name, argument = {}, env = {}) {
      return runStep('pages.js', name, argument, { application: folder, store: path.join(folder, 'store'), env: { ALLOW_PUBLIC_API: '', ...env } })
    }
  })

  describe('text of users', () => {
    it('is text after the two browsers that read it, and for Dashboard\'s parser', () => {
      const hostile = '<b>&amp;"\'`${x}{{y}}\\' // eslint-disable-line no-template-curly-in-string
      const filled = fill('<input value="{{text}}">', { text: hostile }, escape)
      const [, value] = /value="([^"]*)"/.exec(filled)
      assert(!/[<>'"`$\\{]/.test(value), value)
      assert.strictEqual(decode(decode(value)), hostile)
    })

    function decode (text) {
      const named = { amp: '&', lt: '<', gt: '>', quot: '"' }
      return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => code ? String.fromCharCode(code) : named[name])
    }
  })

  describe('a device', () => {
    const names = {
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/119.0': 'Firefox 119 on Windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 Edg/119.0.0.0': 'Edge 119 on Windows',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15': 'Safari 17 on macOS',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/119.0.6045.109 Mobile/15E148 Safari/604.1': 'Chrome 119 on iPhone',
      'Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36': 'Samsung Internet 23 on Android',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0': 'Opera 105 on Linux',
      'curl/8.4.0': 'curl 8',
      'a-program of our own': 'a-program of our own',
      '': 'Unknown device'
    }
    for (const [agent, name] of Object.entries(names)) {
      it(`is ${name}`, () => assert.strictEqual(deviceName(agent), name))
    }
    it('is short, whatever a browser says of itself', () => {
      assert.strictEqual(deviceName('x'.repeat(500)), `${'x'.repeat(40)}…`)
      assert.strictEqual(deviceName(undefined), 'Unknown device')
    })
  })

  describe('times', () => {
    it('are said from now', () => {
      const said = [-5, 0, 10, 59, 60, 119, 120, 3600, 7200, 86400, 40 * 86400].map((seconds) => ago(1000000000 - seconds, 1000000000))
      assert.deepStrictEqual(said, ['just now', 'just now', '10 seconds ago', '59 seconds ago', '1 minute ago', '1 minute ago', '2 minutes ago', '1 hour ago', '2 hours ago', '1 day ago', '40 days ago'])
    })
    it('are read as they are written', () => {
      assert.strictEqual(readMoment(moment(1000000020).replace(' ', 'T')), 1000000020)
      assert.deepStrictEqual([readMoment(''), readMoment('2026'), readMoment(['x']), readMoment('2026-13-01T00:00')], [undefined, NaN, NaN, NaN])
      assert.strictEqual(moment(NaN), 'unknown')
    })
  })

  describe('a form', () => {
    it('is of its session alone', () => {
      const session = { tokenHash: 'a-hash' }
      const form = makeFormToken({ session })
      assert.match(readFormToken({ session, body: { form } }), /^[0-9a-f-]{36}$/)
      assert.strictEqual(readFormToken({ session: { tokenHash: 'another' }, body: { form } }), undefined)
      assert.notStrictEqual(makeFormToken({ session }), form)
      assert.throws(() => makeFormToken({ session: {} }), /invalid-session/)
    })
  })

  describe('samples', () => {
    // A module on a store that only counts: it fails if sessions are read.
    function makeModule (kept) {
      const stats = { commits: { total: 0, recentMilliseconds: { p50: 1, p99: 2 } }, cache: { hits: 0, misses: 0 }, diskBytes: 5, waiting: 0 }
      return { stats, signIns: 0, lastSeen: { countSince: () => 7 }, store: { stats: async () => JSON.stringify(stats), count: async () => kept } }
    }

    it('read no session where there are many, and have rates', async () => {
      const module = makeModule(1000000)
      const samples = new Samples(module)
      samples.take()
      await samples.stop()
      samples.samples[0].at -= 10000
      Object.assign(module, { signIns: 5 })
      Object.assign(module.stats, { commits: { ...module.stats.commits, total: 20 }, cache: { hits: 3, misses: 1 } })
      const [first, second] = await samples.list()
      assert.deepStrictEqual([first.commitsPerSecond, first.kept, first.live, first.usedLately], [undefined, 1000000, undefined, 7])
      assert.deepStrictEqual([Math.round(second.commitsPerSecond), Math.round(second.signInsPerMinute), second.hitRate], [2, 30, 0.75])
    })
    it('have the rates of the sample before right after it', async () => {
      const module = makeModule(1000000)
      const samples = new Samples(module)
      samples.keep({ ...await samples.sample(), commitsPerSecond: 3 })
      module.stats.commits.total = 100
      assert.strictEqual((await samples.list())[1].commitsPerSecond, 3)
    })
    it('are those of an hour, and end with the store', async () => {
      const module = makeModule(1000000)
      const samples = new Samples(module)
      for (let count = 0; count < 400; count++) {
        samples.take()
        await samples.taking
      }
      module.store.stats = async () => { throw new Error('store-closed') }
      samples.take()
      await samples.stop()
      assert.strictEqual(samples.samples.length, 360)
    })
  })

  describe('a chart', () => {
    const [from, to] = [1000000000, 1000003600]
    const line = (label, values) => ({ label, points: values.map((value, index) => [from + index * 60, value]) })
    const draw = (lines) => lineChart({ id: 'x', title: 'A title', lines, from, to, format: String })

    it('differs by dashes and markers, and names its lines', () => {
      const svg = draw([line('first', [1, 2, 3]), line('second', [3, 2, 1])])
      assert.deepStrictEqual([...svg.matchAll(/stroke-dasharray="([^"]+)"/g)].map(([, dash]) => dash), ['none', '7 4'])
      assert(svg.includes('>first 3</text>') && svg.includes('>second 1</text>'))
      assert(svg.includes('first: last 3, lowest 1, highest 3; second: last 1, lowest 1, highest 3.</desc>'))
    })
    it('has gaps where there are no values', () => {
      const [, path] = /<path d="([^"]+)" fill="none"/.exec(draw([line('', [1, undefined, 3, null, NaN, 4])]))
      assert.strictEqual(path.match(/M/g).length, 3)
    })
    it('is drawn without a value, with one, and with zeros', () => {
      for (const values of [[], [undefined], [5], [0, 0]]) {
        assert(!/NaN|Infinity|undefined/.test(draw([line('a', values), line('b', values)])), values)
      }
      assert(!/NaN|Infinity|undefined/.test(barRows({ id: 'x', title: 'A title', rows: [], from, to })))
    })
    it('has a bar for each minute, the largest as high as its row', () => {
      const svg = barRows({ id: 'x', title: 'A title', rows: [{ label: '<b>', times: [from, from + 1, from + 600], total: 3 }], from, to })
      assert.deepStrictEqual([...svg.matchAll(/<rect [^>]+ height="([\d.]+)"/g)].map(([, height]) => height), ['22', '11'])
      assert(svg.includes('&amp;lt;b&amp;gt;') && svg.includes('>3</text>'))
    })
  })
})
