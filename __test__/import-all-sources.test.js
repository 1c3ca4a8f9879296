/* eslint-env mocha */
const assert = require('assert')
const v8 = require('v8')
const vm = require('vm')
const { rejection } = require('./helper.js')
const { secrets } = require('./helpers/secret.js')
const { runDashboard } = require('./import/dashboard.js')
const { fillBig, fingerprint, useSource } = require('./import/kinds.js')
const { collect, requireFailure } = require('./import/read.js')

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc')
const megabyte = 1024 * 1024

describe('import from every source', function () {
  this.timeout(60000)

  for (const kind of ['files', 'redis', 'mysql', 'postgresql']) {
    describe(kind, () => {
      const source = useSource(kind)
      const { open } = require(`../lib/import/${kind}.js`)
      let written

      before(async function () {
        this.timeout(60000)
        written = {}
        for (const [appid, env] of Object.entries({ plain: {}, encrypted: secrets })) {
          written[appid] = await runDashboard(source.folder, kind, source.url, 'fill', { count: 4 }, { ...env, APPID: appid })
        }
      })

      for (const appid of ['plain', 'encrypted']) {
        it(`gives what Dashboard wrote to the byte, and its lists from the oldest item on, ${appid}`, async () => {
          const { records, lists, skipped } = await read()
          const { users } = written[appid]
          const found = Object.keys(records).filter((key) => key.startsWith(`${appid}/`))
          assert.deepStrictEqual(found.sort(), Object.keys(written[appid].records).sort())
          for (const [key, contents] of Object.entries(written[appid].records)) {
            assert.strictEqual(records[key].toString('base64'), contents, key)
          }
          const text = String(records[`${appid}/account/${users[0].accountid}`])
          assert.strictEqual(appid === 'plain' ? JSON.parse(text).object : /^[0-9a-f]+$/.exec(text)[0].length > 100, appid === 'plain' ? 'account' : true)
          for (const [list, newestFirst] of Object.entries(written[appid].lists)) {
            assert.deepStrictEqual(lists[list], newestFirst.reverse(), list)
          }
          assert.deepStrictEqual(Object.keys(lists).filter((list) => list.startsWith(`${appid}/`)).sort(), Object.keys(written[appid].lists).sort())
          assert.deepStrictEqual(skipped, [])
        })
      }
      it('changes nothing, and needs only permission to read', async () => {
        const before = await fingerprint(kind, source)
        assert(before.length)
        await read()
        assert.deepStrictEqual(await fingerprint(kind, source), before)
      })
      it('counts records and items, and reads again', async () => {
        const opened = await open(source.readerUrl)
        const first = await collect(opened)
        const { total, tooLarge } = await opened.survey()
        const second = await collect(opened)
        await opened.close()
        const items = Object.values(first.lists).flat()
        assert.deepStrictEqual([total, tooLarge], [Object.keys(first.records).length + items.length, []])
        assert.deepStrictEqual(second, first)
      })
      it('can be closed in the middle', async () => {
        const opened = await open(source.readerUrl)
        const entries = opened.entries()
        assert.strictEqual((await entries.next()).done, false)
        await opened.close()
      })
      it('needs no more memory at its end than at its beginning', async () => {
        const { count, bytes } = await fillBig(kind, source)
        const opened = await open(source.readerUrl)
        const before = held()
        let peak = 0
        let found = 0
        for await (const { record, contents } of opened.entries()) {
          if (record && record.startsWith('big/')) {
            assert.strictEqual(contents.length, bytes)
            found++
          }
          peak = Math.max(peak, found % 200 ? 0 : held() - before)
        }
        await opened.close()
        assert.strictEqual(found, count)
        assert(peak < 50 * megabyte, `${Math.round(peak / megabyte)} MB`)
      })
      // The last test, because it removes the source.
      it('source-interrupted or source-changed when the source goes away', async () => {
        const opened = await open(source.readerUrl)
        let found = 0
        const reading = (async () => {
          for await (const entry of opened.entries()) {
            assert(entry)
            if (++found === 10) {
              await source.kill()
            }
          }
        })()
        const error = await rejection(reading)
        requireFailure(error, kind === 'files' ? 'source-changed' : 'source-interrupted', source)
        assert(found >= 10 && found < 4000, String(found))
        await opened.close()
        requireFailure(await rejection(open(source.readerUrl)), 'source-unreachable', source)
      })

      async function read () {
        const opened = await open(source.readerUrl)
        try {
          return await collect(opened)
        } finally {
          await opened.close()
        }
      }
    })
  }

  // Bytes in use after a garbage collection.
  function held () {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
})
