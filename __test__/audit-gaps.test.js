/* eslint-env mocha */
// Entries that are missing in the audit, though they were not pruned.
const assert = require('assert')
const { Audit } = require('../index.js')
const { entryName } = require('../lib/audit/names.js')
const { prune } = require('../lib/audit/prune.js')
const { readHead } = require('../lib/audit/read.js')
const { mainStore } = require('../lib/open-stores.js')
const { activateAlone, deactivate } = require('../lib/sessions/module.js')
const { makeEnds } = require('./helpers/ends.js')
const { runTool, useStore } = require('./helper.js')

const DAY = 24 * 60 * 60

describe('audit with gaps', function () {
  this.timeout(60000)
  const store = useStore()
  let ends
  beforeEach(async () => {
    activateAlone(mainStore())
    ends = await makeEnds()
  })
  afterEach(deactivate)

  describe('is listed behind a missing entry', () => {
    beforeEach(async () => {
      // 1 a, 2 b, 3 a of another application, 4 b, 5 a, 6 b, 7 a, and so on.
      for (let number = 1; number <= 40; number++) {
        await ends.end(number % 2 ? 'a' : 'b', { appid: number % 3 ? 'app' : 'another', time: number <= 20 ? 1000 + number : undefined })
      }
    })
    const expected = (fits = () => true) => Array.from({ length: 40 }, (_, index) => 40 - index).filter((number) => number % 3 && fits(number))

    for (const [title, query, fits, gap] of [
      ['of the application', {}, () => true, 35],
      ['of the application, at its end', {}, () => true, 40],
      ['of an account', { accountid: 'a' }, (number) => number % 2, 35],
      ['of an actor', { actor: 'the-owner' }, () => true, 35],
      ['of a cause', { cause: 'ended-by-administrator' }, () => true, 35],
      ['of an account and a cause', { accountid: 'a', cause: 'ended-by-administrator' }, (number) => number % 2, 35],
      ['since a time', { accountid: 'a', since: 1010 }, (number) => number % 2 && number >= 10, 35],
      ['until a time', { until: 1019 }, (number) => number <= 19, 16],
      ['until the time of the missing entry', { until: 1019 }, (number) => number <= 19, 19],
      ['of no entry', { accountid: 'nobody' }, () => false, undefined]
    ]) {
      it(title, async () => {
        const numbers = expected(fits)
        for (const limit of [500, 3, 1]) {
          assert.deepStrictEqual(await pages({ ...query, limit }), { numbers, missing: 0 })
        }
        if (gap) {
          await remove(gap)
          for (const limit of [500, 3, 1]) {
            assert.deepStrictEqual(await pages({ ...query, limit }), { numbers: numbers.filter((number) => number !== gap), missing: 1 })
          }
        }
      })
    }
    it('and another one, and says that from where it goes on by number', async () => {
      await remove(40, 34, 33, 32, 2, 1)
      const first = await list({ accountid: 'b', limit: 2 })
      assert.deepStrictEqual([first.entries.map(({ number }) => number), first.missing, first.cursor], [[38, 28], 4, 'number-27'])
      assert.deepStrictEqual(await pages({}), { numbers: expected((number) => ![40, 34, 32, 2, 1].includes(number)), missing: 6 })
    })
    it('but not behind one that was pruned, meanwhile as well', async () => {
      assert.strictEqual(await prune(ends.store, DAY), 20)
      assert.deepStrictEqual(await pages({}), { numbers: expected((number) => number > 20), missing: 0 })
      await remove(30)
      for (const limit of [500, 1]) {
        assert.deepStrictEqual(await pages({ accountid: 'a', limit }), { numbers: expected((number) => number > 20 && number % 2), missing: 0 })
        assert.deepStrictEqual(await pages({ limit }), { numbers: expected((number) => number > 20), missing: 0 })
      }
      await remove(25)
      const { readMany } = ends.store
      let pruned
      ends.store.readMany = async (names) => {
        if (names.includes(entryName(22)) && pruned === undefined) {
          pruned = 0
          pruned = await prune(ends.store, -1, 32)
        }
        return readMany.call(ends.store, names)
      }
      const { numbers, missing } = await pages({})
      ends.store.readMany = readMany
      assert.deepStrictEqual([numbers, missing, pruned], [expected((number) => number > 31), 0, 9])
    })
    it('of a cursor that was made up, only within the application', async () => {
      assert.deepStrictEqual((await list({ cursor: 'number-20', limit: 4 })).entries.map(({ number }) => number), [20, 19, 17, 16])
      assert.deepStrictEqual(await list({ cursor: 'number-41' }), { entries: [], cursor: undefined, missing: 0 })
      assert.deepStrictEqual(await list({ cursor: 'application-39' }), { entries: [], cursor: undefined, missing: 0 })
    })
  })

  describe('is pruned', () => {
    it('of no entry that is young, where one is missing', async () => {
      for (let number = 0; number < 20; number++) {
        await ends.end('a', { time: 1000 })
      }
      for (let number = 0; number < 280; number++) {
        await ends.end('a')
      }
      // Those that the search for the first young entry looks at.
      await remove(150, 75, 38, 19)
      assert.strictEqual(await prune(ends.store, DAY), 19)
      assert.deepStrictEqual((await readHead(ends.store)).first, 21)
    })
    it('of all old entries, where the last one of a change is missing', async () => {
      for (let number = 0; number < 140; number++) {
        await ends.end('a', { time: 1000 })
      }
      await ends.end('a')
      await remove(128, 127, 140)
      assert.strictEqual(await prune(ends.store, DAY), 137)
      const { first } = await readHead(ends.store)
      assert.deepStrictEqual([first, await pages({})], [140, { numbers: [141], missing: 1 }])
    })
  })

  it('is looked at in pages of 5,000, however many are missing', async () => {
    await ends.end('a')
    const [head] = JSON.parse(`[${await ends.store.read('dashboard-sled/head')}]`)
    await ends.store.replace([], [], ['dashboard-sled/head'], [JSON.stringify({ ...head, number: 6001 })])
    const first = await list({ cursor: 'application-6001' })
    assert.deepStrictEqual(first, { entries: [], cursor: 'number-1001', missing: 5000 })
    const { entries, cursor, missing } = await list({ cursor: first.cursor })
    assert.deepStrictEqual([entries.map(({ number }) => number), cursor, missing], [[1], undefined, 1000])
  })

  it('is printed by the command line with a note and the exit code of damage', async () => {
    const run = async (...args) => {
      const { code, stdout, stderr } = await runTool(['audit', ...args, '--appid', 'app', '--store', process.env.SLED_PATH])
      return { code, lines: stdout.trim().split('\n').length, stdout, stderr }
    }
    for (let number = 0; number < 5; number++) {
      await ends.end('a')
    }
    await remove(3, 2)
    await store.storage.close()
    const note = '2 entries are missing in this list, because the store is damaged: run npx dashboard-sled audit verify\n'
    const text = await run()
    assert.deepStrictEqual([text.code, text.lines, text.stderr], [3, 4, `3 entries\n${note}`])
    for (const [format, lines] of [['csv', 4], ['json', 3]]) {
      const found = await run('--format', format)
      assert.deepStrictEqual([found.code, found.lines, found.stderr], [3, lines, `3 entries\n${note}`])
    }
    const { code, stdout, stderr } = await run('--json')
    const { number, missing, entries } = JSON.parse(stdout)
    assert.deepStrictEqual([code, number, missing, entries.length, stderr], [3, 3, 2, 3, ''])
    const few = await run('--limit', '2')
    assert.deepStrictEqual([few.code, few.stderr], [0, '2 entries; there may be more: --all, or a higher --limit\n'])
    await store.open()
  })

  function list (query) {
    return Audit.list({ appid: 'app', query })
  }

  async function pages (query) {
    const found = { numbers: [], missing: 0 }
    let cursor
    do {
      const page = await list({ ...query, cursor })
      found.numbers.push(...page.entries.map(({ number }) => number))
      found.missing += page.missing
      cursor = page.cursor
    } while (cursor)
    return found
  }

  async function remove (...numbers) {
    for (const number of numbers) {
      await ends.store.remove(entryName(number))
    }
  }
})
