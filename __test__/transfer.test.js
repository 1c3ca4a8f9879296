/* eslint-env mocha */
const assert = require('assert')
const fc = require('fast-check')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, readEntries, rejection, runTool, until, withStore } = require('./helper.js')

describe('transfer', () => {
  let folder, from, to, file
  beforeEach(() => {
    folder = makeFolder()
    from = path.join(folder, 'from')
    to = path.join(folder, 'to')
    file = path.join(folder, 'export.jsonl')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  const entries = [
    { record: 'text', contents: Buffer.from('contents') },
    { record: 'empty', contents: Buffer.alloc(0) },
    { record: 'bytes', contents: Buffer.from([0, 255, 10, 13]) },
    { record: 'lines', contents: Buffer.from('\ufeffa\nb\r\u2028\u2029') },
    { record: 'large', contents: Buffer.alloc(100000, 'ä') },
    { record: '\ud800', contents: Buffer.from('unpaired') },
    { record: '\ufffd', contents: Buffer.from('replacement') },
    { record: '__proto__', contents: Buffer.from('{}') },
    { record: 'k'.repeat(3000), contents: Buffer.from('long key') },
    { list: 'list', items: Array.from({ length: 5000 }, (_, i) => String(i)) },
    { list: 'l'.repeat(5000), items: ['\udfff', 'i'.repeat(500), 'true', '3'] }
  ]

  describe('entries', () => {
    it('is everything, in a stable order, a long list in consecutive parts', async () => {
      await fill(from, entries)
      const found = await readEntries(from)
      assert.deepStrictEqual(byName(found), byName(entries))
      assert.deepStrictEqual(await readEntries(from), found)
      const paths = found.filter(({ list }) => list).map(({ list }) => list)
      assert(paths.filter((list) => list === 'list').length > 1)
      assert.strictEqual(paths.lastIndexOf('list') - paths.indexOf('list'), paths.filter((list) => list === 'list').length - 1)
    })
    it('is nothing in an empty store', async () => {
      assert.deepStrictEqual(await readEntries(from), [])
    })
    it('meets what does not change once, while everything else does', async () => {
      const stable = Array.from({ length: 2000 }, (_, i) => ({ record: `stable/${i}`, contents: Buffer.from('s') }))
      await withStore(from, async (store) => {
        await store.load([...stable, ...[0, 1, 2].map((i) => ({ record: `large/${i}`, contents: Buffer.alloc(9000) }))])
        const state = { reading: true, writes: 0 }
        const writer = (async () => {
          while (state.reading) {
            await Promise.all([
              store.storage.writeBinary(`large/${state.writes % 3}`, Buffer.alloc(9000, ++state.writes)),
              store.storage.delete(`stable/${state.writes}/gone`),
              store.lists.add(`list/${state.writes}`, 'item')
            ])
          }
        })()
        const found = new Map()
        let large = 0
        let rounds = 0
        for (; rounds < 5 || state.writes < 50; rounds++) {
          for await (const { record } of store.entries()) {
            found.set(record, (found.get(record) || 0) + 1)
            large += record && record.startsWith('large') ? 1 : 0
          }
        }
        state.reading = false
        await writer
        // One that is replaced again and again is never missed.
        assert.strictEqual(large, 3 * rounds)
        assert(stable.every(({ record }) => found.get(record) === rounds))
      })
    }).timeout(30000)
  })

  describe('load', () => {
    it('twice leaves the same store', async () => {
      await fill(from, entries)
      const once = await readEntries(from)
      await fill(from, entries)
      assert.deepStrictEqual(await readEntries(from), once)
    })
    it('adds items behind those that are there, which keep their place', async () => {
      await fill(from, [{ list: 'a', items: ['1', '2'] }])
      await fill(from, [{ list: 'a', items: ['3', '2', '4'] }, { list: 'a', items: ['0'] }])
      assert.deepStrictEqual(await readEntries(from), [{ list: 'a', items: ['1', '2', '3', '4', '0'] }])
    })
    it('returns counts', async () => {
      await withStore(from, async (store) => {
        async function * parts () {
          yield * [{ record: 'a', contents: Buffer.from('abc') }, { list: 'l', items: ['1'] }, { list: 'l', items: ['2', 3] }, { list: 'm', items: [] }]
        }
        assert.deepStrictEqual(await store.load(parts()), { records: 1, lists: 2, items: 3, bytes: 3, kept: 0, keptRecords: [] })
        assert.deepStrictEqual(await store.load([]), { records: 0, lists: 0, items: 0, bytes: 0, kept: 0, keptRecords: [] })
      })
    })
    it('writes nothing behind an error, and tells the first one', async () => {
      await withStore(from, async (store) => {
        for (const [entry, slug] of [
          [{ record: '', contents: Buffer.alloc(1) }, 'invalid-file'],
          [{ record: 'a', contents: 'text' }, 'invalid-entry'],
          [{ record: 'a', contents: Buffer.alloc(1), list: 'b', items: [] }, 'invalid-entry'],
          [{ list: 'a' }, 'invalid-entry'],
          [{ list: 'a', items: [{}] }, 'invalid-itemid'],
          [{}, 'invalid-entry'],
          [null, 'invalid-entry'],
          [{ record: 'r'.repeat(70000), contents: Buffer.alloc(1) }, 'invalid-file']
        ]) {
          assert.strictEqual((await rejection(store.load([entry]))).message, slug)
        }
        for (const [entry, slug, detail] of [
          [{ record: 'r'.repeat(70000), contents: Buffer.alloc(1) }, 'invalid-file', `the key ${'r'.repeat(100)}… has 70000 bytes, and a store takes 65536`],
          [{ record: 'a-record', contents: Buffer.alloc(64 * 1024 * 1024 + 1) }, 'invalid-contents', 'the record a-record has 67108865 bytes, and a store takes 67108864'],
          [{ list: 'ä'.repeat(40000), items: ['1'] }, 'invalid-path', `the list ${'ä'.repeat(100)}… has 80000 bytes, and a store takes 65536`],
          [{ list: 'a-list', items: ['1', 'i'.repeat(70000)] }, 'invalid-itemid', 'an item of the list a-list has 70000 bytes, and a store takes 65536']
        ]) {
          const error = await rejection(store.load([entry]))
          assert.deepStrictEqual([error.message, error.code, error.detail], [slug, 'ERR_TOO_LARGE', detail])
        }
        assert.strictEqual((await rejection(store.load(7))).message, 'invalid-entries')
        for (const options of [{ overwrite: 1 }, { overwrit: true }]) {
          assert.strictEqual((await rejection(store.load([], options))).message, 'invalid-setting')
        }
        async function * broken () {
          yield { record: 'before', contents: Buffer.alloc(1) }
          throw new Error('the source is gone')
        }
        assert.strictEqual((await rejection(store.load(broken()))).message, 'the source is gone')
        assert.strictEqual(await store.storage.exists('before'), false)
      })
    })
    it('holds only a few entries at a time', async () => {
      await withStore(from, async (store) => {
        let before = process.memoryUsage().rss
        let most = 0
        async function * many () {
          for (let i = 0; i < 180; i++) {
            // By then what is read and written at a time, and the allocator, have what they need.
            before = i === 60 ? process.memoryUsage().rss : before
            most = Math.max(most, process.memoryUsage().rss)
            yield { record: `a/${i % 7}`, contents: Buffer.alloc(1024 * 1024, i) }
          }
        }
        await store.load(many())
        assert(most - before < 60e6, most - before)
      })
    }).timeout(60000)
  })

  describe('open', () => {
    it('shares the store of the process', async () => {
      const [a, b] = [await addon.open({ path: from }), await addon.open({ path: from, cacheMB: 1, commitSeconds: 1 })]
      await a.storage.write('a', 'contents')
      assert.strictEqual(await b.storage.read('a'), 'contents')
      await a.close()
      assert.strictEqual(await b.lists.count('a'), 0)
      assert.strictEqual(a.path, b.path || fs.realpathSync(from))
      await b.close()
      assert.strictEqual((await rejection(b.storage.read('a'))).code, 'ERR_STORE_CLOSED')
    })
    it('refuses an option that it does not know, by name', async () => {
      const { message, code, detail } = await rejection(addon.open({ path: from, cachMB: 5 }))
      assert.deepStrictEqual([message, code, detail], ['invalid-option', 'ERR_INVALID', 'there is no option cachMB; there are path, cacheMB, commitSeconds, create'])
      assert.strictEqual(fs.existsSync(from), false)
    })
    it('says what is wrong with a setting', async () => {
      for (const [options, slug] of [[undefined, 'invalid-path'], [{ path: '' }, 'invalid-path'], [{ path: from, cacheMB: 0 }, 'invalid-setting'], [{ path: from, commitSeconds: '1' }, 'invalid-setting']]) {
        assert.strictEqual((await rejection(addon.open(options))).message, slug)
      }
    })
  })

  describe('export and import', () => {
    it('are equal to the byte, by a file and by a pipe', async () => {
      await fill(from, entries)
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
    }).timeout(30000)
    it('bring back whatever there is', async () => {
      const name = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { minLength: 1, maxLength: 4 }).map((units) => String.fromCharCode(...units)))
      const entry = fc.oneof(
        fc.record({ record: name, contents: fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })).map((bytes) => Buffer.from(bytes)) }),
        fc.record({ list: name, items: fc.uniqueArray(name, { minLength: 1 }) }))
      const EntryCounts = require('../lib/entry-counts.js')
      const { exportLines } = require('../lib/export-format.js')
      const { open } = require('../lib/import/jsonl.js')
      let round = 0
      await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (entries) => {
        const [first, second] = [`${from}-${++round}`, `${to}-${round}`]
        await fill(first, entries)
        await withStore(first, async (store) => {
          const lines = []
          for await (const line of exportLines(store.entries(), new EntryCounts())) {
            lines.push(line)
          }
          fs.writeFileSync(file, lines.join(''))
        })
        const source = await open(file)
        await fill(second, source.entries())
        await source.close()
        const found = await readEntries(second)
        assert.deepStrictEqual(found, await readEntries(first))
        assert.deepStrictEqual(byName(found), byName(entries))
      }), { numRuns: Number(process.env.RUNS || 40) })
    }).timeout(120000)
    it('refuse a damaged line by its number, and import nothing', async () => {
      await fill(from, [{ record: 'a', contents: Buffer.from('text') }, { record: 'b', contents: Buffer.from([255]) }, { list: 'l', items: ['1', '2'] }])
      await runTool(['export', '--output', file, '--store', from])
      const whole = fs.readFileSync(file, 'utf8')
      const lines = whole.trim().split('\n')
      assert.strictEqual(lines.length, 5)
      const replaced = (number, line) => lines.map((other, i) => i === number - 1 ? line : other).join('\n') + '\n'
      for (const [number, reason, damaged] of [
        [1, 'it does not say that this is an export', replaced(1, '{"format":"other"}')],
        [1, 'it has version 2', replaced(1, '{"format":"dashboard-sled","version":2}')],
        [1, 'it is no JSON', 'secret\n'],
        [1, 'it is missing', ''],
        [2, 'it is no JSON', replaced(2, lines[1].slice(0, -3))],
        [2, 'it is no JSON', replaced(2, '')],
        [2, 'it is no object', replaced(2, '[]')],
        [2, 'it is no object', replaced(2, 'null')],
        [2, 'it is neither a record nor a list', replaced(2, '{"record":"a"}')],
        [2, 'it is neither a record nor a list', replaced(2, '{"record":"a","text":"t","more":1}')],
        [2, 'its contents are no string', replaced(2, '{"record":"a","text":1}')],
        [2, 'the name of the record', replaced(2, '{"record":"","text":"t"}')],
        [2, 'unpaired surrogate', replaced(2, '{"record":"a","text":"\\ud800"}')],
        [3, 'it is no base64', replaced(3, '{"record":"b","base64":"_w=="}')],
        [3, 'it is no UTF-8', Buffer.concat([Buffer.from(lines.slice(0, 2).join('\n') + '\n'), Buffer.from([255, 10])])],
        [4, 'its items are no array', replaced(4, '{"list":"l","items":"12"}')],
        [4, 'the name of the item', replaced(4, '{"list":"l","items":[1]}')],
        [5, 'its checksum does not fit', replaced(2, lines[1].replace('text"}', 'texT"}'))],
        [4, 'it says 1 lists, and there are 0', [...lines.slice(0, 3), lines[4]].join('\n')],
        [5, 'it says 2 items, and there are 1', replaced(4, '{"list":"l","items":["1"]}')],
        [5, 'it is missing', lines.slice(0, 4).join('\n') + '\n'],
        [5, 'it is no JSON', whole.slice(0, -3)],
        [6, 'the export has ended before', whole + '{}\n']
      ]) {
        fs.writeFileSync(file, damaged)
        const { open } = require('../lib/import/jsonl.js')
        const error = await rejection(open(file))
        assert.strictEqual(error.code, 'ERR_EXPORT_DAMAGED')
        assert(error.detail.startsWith(`line ${number} of ${file}: `) && error.detail.includes(reason), `${error.detail} instead of ${number} ${reason}`)
        assert(!error.detail.includes('secret'))
      }
      const { code, stderr } = await runTool(['import', '--from', 'jsonl', file, '--store', to])
      assert.deepStrictEqual([code, stderr], [6, `export-damaged: line 6 of ${file}: the export has ended before; nothing was imported\n`])
      assert.strictEqual(fs.existsSync(to), false)
    }).timeout(20000)
    it('can be cut off anywhere, and the import says so', async () => {
      await fill(from, entries.slice(0, 4))
      await runTool(['export', '--output', file, '--store', from])
      const whole = fs.readFileSync(file)
      const { open } = require('../lib/import/jsonl.js')
      for (let length = 0; length < whole.length - 1; length += 7) {
        fs.writeFileSync(file, whole.subarray(0, length))
        assert.strictEqual((await rejection(open(file))).code, 'ERR_EXPORT_DAMAGED')
      }
      // The last line end may be gone.
      fs.writeFileSync(file, whole.subarray(0, whole.length - 1))
      await (await open(file)).close()
    })
    it('an import that was killed is run again', async () => {
      const many = Array.from({ length: 30000 }, (_, i) => ({ record: `r/${i}`, contents: Buffer.from(`contents ${i}`) }))
      await fill(from, [...many, { list: 'l', items: many.map(({ record }) => record) }])
      await runTool(['export', '--output', file, '--store', from])
      const args = ['import', '--from', 'jsonl', file, '--store', to]
      const { code } = await runTool(args, { meanwhile: (child) => killWhen(child, () => fs.existsSync(path.join(to, 'guard'))) })
      assert.notStrictEqual(code, 0)
      assert((await readEntries(to)).length < (await readEntries(from)).length)
      assert.strictEqual((await runTool([...args, '--yes'])).code, 0)
      assert.deepStrictEqual(await readEntries(to), await readEntries(from))
    }).timeout(60000)
    it('an export that fails leaves no file', async () => {
      await fill(from, entries)
      const target = path.join(folder, 'missing', 'export.jsonl')
      const { code, stderr } = await runTool(['export', '--output', target, '--store', from])
      assert.deepStrictEqual([code, stderr], [1, `file-failed: there is no folder ${path.dirname(target)}\n`])
      assert.deepStrictEqual(fs.readdirSync(folder), ['from'])
    })
    it('say what is different from the source', async () => {
      await fill(from, entries)
      await runTool(['export', '--output', file, '--store', from])
      await fill(to, [{ record: 'more', contents: Buffer.from('a') }, { list: 'list', items: ['4999'] }, { list: 'more', items: ['a'] }])
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', to, '--yes', '--verify', '--json'])
      const { differences, described } = JSON.parse(stdout)
      assert.deepStrictEqual([code, differences, described], [3, 3, [
        'not as in the source: the items of the list list, or their order',
        'only in the store: the record more',
        'only in the store: the list more'
      ]])
    })
    it('compare finds what is missing or changed', async () => {
      const { compare } = require('../lib/cli/compare.js')
      await fill(from, entries.slice(1))
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
    it('say what stands in the way', async () => {
      await fill(from, entries)
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
    }).timeout(20000)
  })

  function fill (folder, entries) {
    return withStore(folder, (store) => store.load(entries))
  }

  // The last contents of each record, the items of each list in the order of adding.
  function byName (entries) {
    const found = new Map()
    for (const { record, contents, list, items } of entries) {
      if (record !== undefined) {
        found.set(`record ${record}`, Buffer.from(contents).toString('hex'))
      } else {
        found.set(`list ${list}`, [...new Set([...(found.get(`list ${list}`) || []), ...items])])
      }
    }
    return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1))
  }

  async function killWhen (child, isTime) {
    await until(isTime, { every: 1 })
    setTimeout(() => child.kill('SIGKILL'), 50)
  }
}).timeout(30000)
