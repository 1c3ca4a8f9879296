/* eslint-env mocha */
const assert = require('assert')
const { spawn, spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const addon = require('../index.js')
const { progressText } = require('../lib/cli/progress.js')
const { bytesText, numberText, secondsText } = require('../lib/cli/numbers.js')
const { makeFolder, tool } = require('./helper.js')
const { until } = require('./helpers/times.js')

describe('progress', function () {
  this.timeout(60000)

  it('says what is done, of how much, how fast, and how long still', () => {
    const items = { verb: 'import', unit: 'items', text: numberText, seconds: 10, columns: 80 }
    assert.strictEqual(progressText({ ...items, done: 50000, total: 200000 }), 'import: 50,000 of 200,000 items, 5,000/s, 30 s left')
    assert.strictEqual(progressText({ ...items, done: 50000 }), 'import: 50,000 items, 5,000/s')
    assert.strictEqual(progressText({ ...items, done: 0, total: 5 }), 'import: 0 of 5 items')
    assert.strictEqual(progressText({ verb: 'verify', text: bytesText, done: 1.26e9, seconds: 10, columns: 80 }), 'verify: 1.3 GB, 126 MB/s')
  })
  it('is whole in 60 columns, and in fewer as much as fits', () => {
    const most = { verb: 'remove-replaced', unit: 'records and items', text: numberText, seconds: 100, done: 123456789, total: 987654321 }
    for (let columns = 20; columns <= 120; columns++) {
      const text = progressText({ ...most, columns })
      assert(text.length < columns && text.startsWith('remove-replaced'), text)
    }
    assert.strictEqual(progressText({ ...most, columns: 60 }), 'remove-replaced: 123,456,789 of 987,654,321, 1,234,568/s')
  })
  it('sizes and times are those of people', () => {
    assert.deepStrictEqual([0, 1, 999, 1000, 1049, 10500000, 999949, 999950, 4.1e12, 5e15].map(bytesText), ['0 bytes', '1 bytes', '999 bytes', '1 kB', '1 kB', '10.5 MB', '999.9 kB', '1 MB', '4.1 TB', '5000 TB'])
    assert.deepStrictEqual([0.4, 12, 59.6, 200, 3600, 7500].map(secondsText), ['0 s', '12 s', '1 min 0 s', '3 min 20 s', '1 h 0 min', '2 h 5 min'])
  })

  describe('at a terminal', () => {
    let folder
    before(async () => {
      folder = fs.realpathSync(makeFolder())
      const store = await addon.open({ path: path.join(folder, 'store') })
      await store.storage.write('record', 'contents')
      await store.close()
    })
    after(() => fs.rmSync(folder, { recursive: true }))

    it('an export that took over a second says how long', async function () {
      if (spawnSync('script', ['--version']).error) {
        return this.skip()
      }
      const pipe = path.join(folder, 'late')
      spawnSync('mkfifo', [pipe])
      const child = spawn('script', ['--quiet', '--return', '--command', `stty cols 60; '${process.execPath}' '${tool}' export --output '${pipe}' --store '${path.join(folder, 'store')}'`, '/dev/null'])
      let shown = ''
      child.stdout.on('data', (data) => { shown += data })
      const ended = once(child, 'close')
      // The export has begun, and waits for a reader.
      await until(() => shown.includes('export'))
      await sleep(1200)
      fs.createReadStream(pipe).resume()
      await ended
      assert.match(shown, /1 record and 0 lists with 0 items were exported to .*\r\nexport took \d+ s\r\n$/)
    })
    it('its line is cleared by Ctrl-C', async function () {
      // Nothing reads from the pipe, so the export waits.
      const pipe = path.join(folder, 'pipe')
      spawnSync('mkfifo', [pipe])
      const child = spawn('script', ['--quiet', '--return', '--command', `stty cols 60; '${process.execPath}' '${tool}' export --output '${pipe}' --store '${path.join(folder, 'store')}'`, '/dev/null'])
      let shown = ''
      child.stdout.on('data', (data) => {
        shown += data
        if (shown.includes('export') && child.stdin.writable) {
          child.stdin.end('\u0003')
        }
      })
      const failed = await new Promise((resolve) => {
        child.on('error', resolve)
        child.on('close', () => resolve())
      })
      if (failed) {
        console.warn('SKIPPED: progress at a terminal, since script is missing')
        return this.skip()
      }
      // The cursor goes to the start of the line and clears it before the next line.
      // eslint-disable-next-line no-control-regex
      assert.match(shown, /export: .*\u001b\[1G\u001b\[2Kinterrupted: ended by SIGINT\r\n/s, JSON.stringify(shown))
    })
  })
})
