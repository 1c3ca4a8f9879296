/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { open } = require('../lib/import/jsonl.js')
const { loadEntries, makeFolder, rejection, runTool } = require('./helper.js')
const { entries } = require('./import/entries.js')

describe('import of a damaged export', function () {
  this.timeout(60000)
  let folder, file, lines, whole, large
  before(async () => {
    folder = makeFolder()
    file = path.join(folder, 'export.jsonl')
    whole = await exported('small', [{ record: 'a', contents: Buffer.from('text') }, { record: 'b', contents: Buffer.from([255]) }, { list: 'l', items: ['1', '2'] }])
    large = await exported('large', entries.slice(0, 4))
    lines = String(whole).trim().split('\n')
    assert.strictEqual(lines.length, 5)
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  // Title, line that the error names, its reason, and the damage.
  for (const [title, number, reason, damage] of [
    ['another format', 1, 'it does not say that this is an export', () => replaced(1, '{"format":"other"}')],
    ['a newer version', 1, 'it has version 2', () => replaced(1, '{"format":"dashboard-sled","version":2}')],
    ['text that is not an export, which is not shown', 1, 'it is not JSON', () => 'secret\n'],
    ['an empty file', 1, 'it is missing', () => ''],
    ['a line that is cut off', 2, 'it is not JSON', () => replaced(2, lines[1].slice(0, -3))],
    ['an empty line', 2, 'it is not JSON', () => replaced(2, '')],
    ['an array', 2, 'it is not an object', () => replaced(2, '[]')],
    ['null', 2, 'it is not an object', () => replaced(2, 'null')],
    ['a record without contents', 2, 'it is neither a record nor a list', () => replaced(2, '{"record":"a"}')],
    ['a record with an unknown property', 2, 'it is neither a record nor a list', () => replaced(2, '{"record":"a","text":"t","more":1}')],
    ['contents that are a number', 2, 'its contents are not a string', () => replaced(2, '{"record":"a","text":1}')],
    ['a record without a name', 2, 'the name of the record', () => replaced(2, '{"record":"","text":"t"}')],
    ['an unpaired surrogate', 2, 'unpaired surrogate', () => replaced(2, '{"record":"a","text":"\\ud800"}')],
    ['base64 of another alphabet', 3, 'it is not base64', () => replaced(3, '{"record":"b","base64":"_w=="}')],
    ['bytes that are not UTF-8', 3, 'it is not UTF-8', () => Buffer.concat([Buffer.from(lines.slice(0, 2).join('\n') + '\n'), Buffer.from([255, 10])])],
    ['items that are text', 4, 'its items are not an array', () => replaced(4, '{"list":"l","items":"12"}')],
    ['an item that is a number', 4, 'the name of the item', () => replaced(4, '{"list":"l","items":[1]}')],
    ['another letter in a record', 5, 'its checksum does not match', () => replaced(2, lines[1].replace('text"}', 'texT"}'))],
    ['a list that is missing', 4, 'it says 1 lists, and there are 0', () => [...lines.slice(0, 3), lines[4]].join('\n')],
    ['an item that is missing', 5, 'it says 2 items, and there are 1', () => replaced(4, '{"list":"l","items":["1"]}')],
    ['a missing last line', 5, 'it is missing', () => lines.slice(0, 4).join('\n') + '\n'],
    ['a last line that is cut off', 5, 'it is not JSON', () => whole.subarray(0, whole.length - 3)],
    ['a line behind the last one', 6, 'the export has ended before', () => whole + '{}\n']
  ]) {
    it(`names line ${number} for ${title}`, async () => {
      fs.writeFileSync(file, damage())
      const { code, detail } = await rejection(open(file))
      assert.strictEqual(code, 'ERR_EXPORT_DAMAGED')
      assert(detail.startsWith(`line ${number} of ${file}: `) && detail.includes(reason), detail)
      assert(!detail.includes('secret'))
    })
  }
  it('imports nothing', async () => {
    const store = path.join(folder, 'store')
    fs.writeFileSync(file, whole + '{}\n')
    const { code, stderr } = await runTool(['import', '--from', 'jsonl', file, '--store', store])
    assert.deepStrictEqual([code, stderr], [6, `export-damaged: line 6 of ${file}: the export has ended before; nothing was imported\n`])
    assert.strictEqual(fs.existsSync(store), false)
  })
  it('is refused wherever the export was cut off', async () => {
    for (let length = 0; length < large.length - 1; length += 7) {
      fs.writeFileSync(file, large.subarray(0, length))
      assert.strictEqual((await rejection(open(file))).code, 'ERR_EXPORT_DAMAGED')
    }
  })
  it('is not refused where only the last line end is missing', async () => {
    fs.writeFileSync(file, large.subarray(0, large.length - 1))
    await (await open(file)).close()
  })

  async function exported (name, entries) {
    const store = path.join(folder, name)
    await loadEntries(store, entries)
    await runTool(['export', '--output', file, '--store', store])
    return fs.readFileSync(file)
  }

  function replaced (number, line) {
    return lines.map((other, i) => i === number - 1 ? line : other).join('\n') + '\n'
  }
})
