/* eslint-env mocha */
const assert = require('assert')
const fc = require('fast-check')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const EntryCounts = require('../lib/entry-counts.js')
const { exportLines } = require('../lib/export-format.js')
const { open } = require('../lib/import/jsonl.js')
const { loadEntries, makeFolder, readEntries, runTool, withStore } = require('./helper.js')
const { until } = require('./helpers/times.js')
const { byName, entries } = require('./import/entries.js')

describe('export and import', function () {
  this.timeout(60000)
  let folder, from, to, file
  beforeEach(() => {
    folder = makeFolder()
    from = path.join(folder, 'from')
    to = path.join(folder, 'to')
    file = path.join(folder, 'export.jsonl')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('bring over every byte, through a file and through a pipe', async () => {
    await loadEntries(from, entries)
    const exported = await runTool(['export', '--output', file, '--store', from, '--json'])
    assert.deepStrictEqual(JSON.parse(exported.stdout), { store: from, records: 9, lists: 2, items: 5004, damaged: 0, described: [] })
    assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
    const imported = await runTool(['import', '--from', 'jsonl', file, '--store', to, '--verify'])
    assert.deepStrictEqual([imported.code, imported.stdout.trim().split('\n')[1]], [0, 'every record and every list is as in the source'])
    assert.deepStrictEqual(await readEntries(to), await readEntries(from))
    const piped = await runTool(['export', '--store', to])
    assert.strictEqual(piped.stdout, fs.readFileSync(file, 'utf8'))
    const third = path.join(folder, 'new', 'third')
    const { code, stdout } = await runTool(['import', '--from', 'jsonl', '-', '--store', third, '--json'], { input: piped.stdout })
    assert.deepStrictEqual([code, JSON.parse(stdout).records], [0, 9])
    assert.deepStrictEqual(await readEntries(third), await readEntries(from))
    assert.deepStrictEqual(fs.readdirSync(path.join(folder, 'new')), ['third'])
  }).timeout(60000)
  it('bring over random entries', async () => {
    const name = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { minLength: 1, maxLength: 4 }).map((units) => String.fromCharCode(...units)))
    const entry = fc.oneof(
      fc.record({ record: name, contents: fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })).map((bytes) => Buffer.from(bytes)) }),
      fc.record({ list: name, items: fc.uniqueArray(name, { minLength: 1 }) }))
    let round = 0
    await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (entries) => {
      const [first, second] = [`${from}-${++round}`, `${to}-${round}`]
      await loadEntries(first, entries)
      await withStore(first, async (store) => {
        const lines = []
        for await (const line of exportLines(store.entries(), new EntryCounts())) {
          lines.push(line)
        }
        fs.writeFileSync(file, lines.join(''))
      })
      const source = await open(file)
      await loadEntries(second, source.entries())
      await source.close()
      const found = await readEntries(second)
      assert.deepStrictEqual(found, await readEntries(first))
      assert.deepStrictEqual(byName(found), byName(entries))
    }), { numRuns: Number(process.env.RUNS || 40) })
  }).timeout(120000)
  it('finish after an import that was killed, if it is run again', async () => {
    const many = Array.from({ length: 30000 }, (_, i) => ({ record: `r/${i}`, contents: Buffer.from(`contents ${i}`) }))
    await loadEntries(from, [...many, { list: 'l', items: many.map(({ record }) => record) }])
    await runTool(['export', '--output', file, '--store', from])
    const args = ['import', '--from', 'jsonl', file, '--store', to]
    const { code } = await runTool(args, { meanwhile: (child) => killWhen(child, () => fs.existsSync(path.join(to, 'guard'))) })
    assert.notStrictEqual(code, 0)
    assert((await readEntries(to)).length < (await readEntries(from)).length)
    assert.strictEqual((await runTool([...args, '--yes'])).code, 0)
    assert.deepStrictEqual(await readEntries(to), await readEntries(from))
  }).timeout(120000)
  it('leave no file of an export that fails', async () => {
    await loadEntries(from, entries)
    const target = path.join(folder, 'missing', 'export.jsonl')
    const { code, stderr } = await runTool(['export', '--output', target, '--store', from])
    assert.deepStrictEqual([code, stderr], [1, `file-failed: there is no folder ${path.dirname(target)}\n`])
    assert.deepStrictEqual(fs.readdirSync(folder), ['from'])
  })
  it('name the differences between the store and the source', async () => {
    await loadEntries(from, entries)
    await runTool(['export', '--output', file, '--store', from])
    await loadEntries(to, [{ record: 'more', contents: Buffer.from('a') }, { list: 'list', items: ['4999'] }, { list: 'more', items: ['a'] }])
    const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', to, '--yes', '--verify', '--json'])
    const { differences, described } = JSON.parse(stdout)
    assert.deepStrictEqual([code, differences, described], [3, 3, [
      'not as in the source: the items of the list list, or their order',
      'only in the store: the record more',
      'only in the store: the list more'
    ]])
  })
  it('compare names what is missing or changed', async () => {
    const { compare } = require('../lib/cli/compare.js')
    await loadEntries(from, entries.slice(1))
    await withStore(from, async (store) => {
      await store.storage.write('lines', 'other')
      await store.lists.remove('list', '17')
      const found = await compare([...entries, { list: 'gone', items: ['a'] }], store)
      assert.strictEqual(found.number, 4)
      assert.deepStrictEqual([...found.described].sort(), [
        'not as in the source: the items of the list list, or their order',
        'not as in the source: the record lines',
        'only in the source: the list gone',
        'only in the source: the record text'
      ])
      assert.strictEqual((await compare(Array.from({ length: 150 }, (_, i) => ({ record: `r${i}`, contents: Buffer.alloc(0) })), store)).described.length, 100)
    })
  })
  it('name the obstacle', async () => {
    await loadEntries(from, entries)
    const open = await addon.open({ path: from })
    for (const [args, code, message] of [
      [['export', '--store', from], 5, `store-locked: the store at ${fs.realpathSync(from)} is open elsewhere`],
      [['export', '--store', to], 4, 'store-missing: there is no store'],
      [['import', '--from', 'jsonl', path.join(folder, 'missing'), '--store', to], 1, `source-unreachable: ${path.join(folder, 'missing')} cannot be read (ENOENT)`],
      [['import', '--from', 'jsonl', folder, '--store', to], 1, `source-unreachable: ${folder} cannot be read (it is a folder)`],
      [['import', file, '--store', to], 2, 'error: required option \'--from <kind>\''],
      [['import', '--from', 'mongodb', file], 2, 'error: the argument of --from is not a kind of source. Allowed are jsonl, files'],
      [['export', '--nothing'], 2, 'error: unknown option']
    ]) {
      const result = await runTool(args)
      assert.deepStrictEqual([result.code, result.stderr.startsWith(message)], [code, true], result.stderr)
    }
    await open.close()
    assert.strictEqual(fs.existsSync(to), false)
  }).timeout(60000)

  async function killWhen (child, isTime) {
    await until(isTime, { every: 1 })
    setTimeout(() => child.kill('SIGKILL'), 50)
  }
})
