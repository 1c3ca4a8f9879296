/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeFolder, runNode } = require('./helper.js')

const script = path.join(__dirname, '..', 'bench', 'run.js')

// The benchmark runs and checks what it measures, on the stores that need no installation. Its results are not tested.
describe('bench', function () {
  this.timeout(180000)
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('stores side by side, which are consistent', async () => {
    const { stdout, results } = await measured('--only', 'get,patch', '--stores', 'sled,files', '--sessions', '3000')
    assert.deepStrictEqual(results.tables.map(({ name }) => name), ['get-alone', 'get-64', 'patch-alone', 'patch-64'])
    for (const { title, rows } of results.tables) {
      assert(stdout.includes(`### ${title}\n`), title)
      assert.deepStrictEqual(rows.map(({ store }) => store), ['sled', 'files'])
      for (const row of rows) {
        assert.deepStrictEqual(row.problems, [], `${title}: ${row.title}`)
        assert.strictEqual(row.consistent, true)
        assert(row.processor > 0)
        assert(row.median > 0 && row.lowest <= row.median && row.median <= row.highest)
      }
    }
    const [[own, files]] = results.tables.map(({ rows }) => rows)
    assert.strictEqual(files.times, files.median / own.median)
    assert.deepStrictEqual(Object.keys(results.versions), ['sled', 'files'])
    assert(results.machine.fileSystem && results.machine.processor)
    assert(!JSON.stringify(results).includes(path.join(__dirname, '..')))
  })
  it('growth and lists', async () => {
    const { stdout, results } = await measured('--only', 'growth,lists', '--stores', 'sled', '--sessions', '3000')
    assert.deepStrictEqual(results.tables.map(({ name }) => name), ['growth', 'lists'])
    const [growth, lists] = results.tables
    assert(stdout.includes(`### ${lists.title}\n`))
    assert.deepStrictEqual(growth.rows.map(({ sessions, churned }) => [sessions, churned]), [[3000, false], [3000, true]])
    for (const row of growth.rows) {
      for (const [name, value] of Object.entries(row)) {
        // Resident memory may shrink while there are so few sessions.
        assert(['title', 'churned', 'residentBytes'].includes(name) || value > 0, `${name}: ${value}`)
      }
    }
  })
  it('sizes, in three states of memory, with goals', async () => {
    const { results } = await measured('--only', 'sizes', '--stores', 'sled', '--sessions', '3000')
    assert.deepStrictEqual(results.tables.map(({ name }) => name), ['sizes-hot', 'sizes-warm', 'sizes-cold'])
    for (const { rows: [own], title } of results.tables) {
      assert.deepStrictEqual([own.store, own.sessions, own.missing], ['sled', 3000, undefined], title)
      assert(own.alone > 0 && own.inFlight > 0, title)
    }
    const [hot, warm, cold] = results.tables.map(({ rows: [own] }) => own)
    // A session is its record, its key, and its share of an account.
    assert(hot.recordBytes > 3000 * 400 && hot.recordBytes < 3000 * 420, `${hot.recordBytes}`)
    assert.deepStrictEqual(hot.goals.map(({ figure }) => figure), ['memory, 3,000'])
    for (const { goals, delay } of [warm, cold]) {
      assert.deepStrictEqual(goals.map(({ figure, value }) => [figure, value]), [['event loop, 3,000', delay]])
    }
  })
  it('latencies and a large value, beside what they are compared with', async () => {
    const { stdout, results } = await measured('--only', 'latency,large', '--stores', 'sled', '--sessions', '3000')
    assert.deepStrictEqual(results.tables.map(({ name }) => name), ['latency-quiet', 'latency-busy', 'latency-busy-get', 'latency-beside', 'large'])
    const large = results.tables.pop()
    for (const { title, rows } of results.tables) {
      assert(stdout.includes(`### ${title}\n`), title)
      for (const { p50, p99, p999, missing, store } of rows) {
        assert(!missing && p50 > 0 && p50 <= p99 && p99 <= p999, `${title}: ${store} ${missing}`)
      }
    }
    const [{ rows: [, bare] }] = results.tables
    assert.deepStrictEqual([bare.store, bare.goals.length], ['bare', 1])
    assert(large.rows[0].writes > 0 && large.rows[0].longest > 0)
    assert.deepStrictEqual(large.rows[0].goals.map(({ figure }) => figure), ['memory', 'small writes'])
  })
  it('refuses unknown names and numbers out of bounds', async () => {
    await assert.rejects(run('--only', 'got'), /There is no got\./)
    await assert.rejects(run('--rounds', '0'), /It has to be a whole number from 1\./)
    await assert.rejects(run('--sessions', '2999'), /It has to be a whole number from 3000\./)
  })

  async function measured (...args) {
    const stdout = await run('--quick', '--rounds', '1', ...args)
    return { stdout, results: JSON.parse(fs.readFileSync(path.join(folder, 'latest.json'))) }
  }

  async function run (...args) {
    const { code, stdout, stderr } = await runNode(script, { args: [...args, '--output', folder] }).ended
    assert.strictEqual(code, 0, stderr)
    return stdout
  }
})
