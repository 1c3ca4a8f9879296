/* eslint-env mocha */
// The script of docs/migration.md, on lines as `mongoexport` writes them.
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { blocksOf } = require('./documents/read.js')
const { makeFolder, runTool } = require('./helper.js')

const id = (number) => `64f1c0ffee${String(number).padStart(14, '0')}`
const milliseconds = 1764200000000
// Extended JSON: relaxed by default, canonical by --jsonFormat, and that of versions before 4.
const forms = {
  relaxed: {
    binary: (bytes) => ({ $binary: { base64: bytes.toString('base64'), subType: '00' } }),
    date: (time) => ({ $date: new Date(time).toISOString() })
  },
  canonical: {
    binary: (bytes) => ({ $binary: { base64: bytes.toString('base64'), subType: '00' } }),
    date: (time) => ({ $date: { $numberLong: String(time) } })
  },
  old: {
    binary: (bytes) => ({ $binary: bytes.toString('base64'), $type: '00' }),
    date: (time) => ({ $date: time })
  },
  'with numbers': {
    binary: (bytes) => ({ $binary: { base64: bytes.toString('base64'), subType: '00' } }),
    date: (time) => ({ $numberLong: String(time) })
  }
}

describe('import from MongoDB', function () {
  this.timeout(60000)
  const [script] = blocksOf('docs/migration.md', 'js')
  let folder
  beforeEach(() => { folder = makeFolder() })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const [form, { binary, date }] of Object.entries(forms)) {
    it(`comes over by way of mongoexport and lines of JSON, ${form}`, async () => {
      const session = JSON.stringify({ object: 'session', sessionid: 'session_1', name: 'ä\u2028"\\n' })
      const bytes = Buffer.from([0, 255, 10, 13])
      write('objects.json', [
        { _id: { $oid: id(1) }, file: 'dashboard/session/session_1', contents: session },
        { _id: { $oid: id(2) }, file: 'dashboard/picture', buffer: binary(bytes) },
        { _id: { $oid: id(3) }, file: 'dashboard/empty', contents: '' },
        { _id: { $oid: id(4) }, file: 'dashboard/nothing' }
      ])
      write('lists.json', [
        { _id: { $oid: id(7) }, path: 'dashboard/sessions', itemid: 'newest', created: date(milliseconds + 1000) },
        { _id: { $oid: id(6) }, path: 'dashboard/sessions', itemid: 'second', created: date(milliseconds) },
        { _id: { $oid: id(8) }, path: 'dashboard/accounts', itemid: 'account_1', created: date(milliseconds) },
        { _id: { $oid: id(5) }, path: 'dashboard/sessions', itemid: 'oldest', created: date(milliseconds) }
      ])
      fs.writeFileSync(path.join(folder, 'from-mongodb.js'), script)
      const lines = execFileSync(process.execPath, ['from-mongodb.js', 'objects.json', 'lists.json'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
      fs.writeFileSync(path.join(folder, 'dashboard.jsonl'), lines)
      const store = path.join(folder, 'store')
      const { code, stdout, stderr } = await runTool(['import', '--from', 'jsonl', path.join(folder, 'dashboard.jsonl'), '--store', store, '--verify'])
      assert.deepStrictEqual([code, stdout.endsWith('every record and every list is as in the source\n')], [0, true], stderr)
      const opened = await addon.open({ path: store })
      assert.strictEqual(await opened.storage.read('dashboard/session/session_1'), session)
      assert.deepStrictEqual(await opened.storage.readBinary('dashboard/picture'), bytes)
      assert.strictEqual(await opened.storage.exists('dashboard/nothing'), false)
      assert.deepStrictEqual(await opened.lists.listAll('dashboard/sessions'), ['newest', 'second', 'oldest'])
      assert.deepStrictEqual(await opened.lists.listAll('dashboard/accounts'), ['account_1'])
      await opened.close()
    })
  }

  function write (name, documents) {
    fs.writeFileSync(path.join(folder, name), documents.map((document) => JSON.stringify(document) + '\n').join(''))
  }
})
