/* eslint-env mocha */
const assert = require('assert')
const crypto = require('crypto')
const { execFileSync, spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { makeFolder, readEntries, runTool, tool, withStore } = require('./helper.js')
const { until } = require('./helpers/times.js')

describe('import command', function () {
  this.timeout(60000)
  let folder, store, file
  beforeEach(() => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    file = path.join(folder, 'export.jsonl')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('shows no password of a URL that was given to another kind of source', async () => {
    const url = 'mysql://user:a-secret@localhost/dashboard'
    for (const args of [
      ['import', '--from', 'files', url],
      ['import', '--from', 'jsonl', url],
      ['import', '--from', 'sled', url],
      ['import', '--from', 'redis', url],
      ['import', '--from', 'postgresql', url],
      ['import', '--from', 'mysql', `${url}?name=other`],
      ['import', '--from', url, 'files'],
      ['import', url],
      ['import', '--from', 'mysql', url, url]
    ]) {
      for (const more of [[], ['--json']]) {
        const { code, stdout, stderr } = await runTool([...args, '--store', store, ...more])
        assert(code !== 0 && !(stdout + stderr).includes('a-secret'), `${args.join(' ')}: ${stderr}${stdout}`)
      }
    }
    assert.strictEqual(fs.existsSync(store), false)
  }).timeout(60000)

  describe('--from sled', () => {
    it('brings over what another store has, and changes nothing in it', async () => {
      const other = path.join(folder, 'other')
      const entries = [
        { record: 'dashboard/account/account_1', contents: Buffer.from('{"object":"account","sessionKey":"k","sessionKeyNumber":1}') },
        { record: 'bytes', contents: Buffer.from([0, 255]) },
        { list: 'dashboard/accounts', items: ['account_1', 'account_2'] }
      ]
      await withStore(other, (opened) => opened.load(entries))
      const { code, stdout } = await runTool(['import', '--from', 'sled', other, '--store', store, '--verify'])
      assert.strictEqual(code, 0)
      assert(stdout.startsWith('2 records and 1 list with 2 items were brought over'), stdout)
      assert(stdout.endsWith('every record and every list is as in the source\n'), stdout)
      assert.deepStrictEqual(await readEntries(store), await readEntries(other))
    })
    it('refuses the store itself, a missing store and one that is open', async () => {
      await withStore(store, (opened) => opened.storage.write('a', 'text'))
      const link = path.join(folder, 'link')
      fs.symlinkSync(store, link)
      for (const source of [store, link]) {
        const { stderr } = await runTool(['import', '--from', 'sled', source, '--store', store, '--yes'])
        assert(stderr.includes(`source-invalid: ${source} is the store itself`), stderr)
      }
      const missing = await runTool(['import', '--from', 'sled', path.join(folder, 'missing'), '--store', store, '--yes'])
      assert(missing.code !== 0 && missing.stderr.includes('store-missing: '), missing.stderr)
      assert.strictEqual(fs.existsSync(path.join(folder, 'missing')), false)
      await withStore(store, async () => {
        const { code, stderr } = await runTool(['import', '--from', 'sled', store, '--store', path.join(folder, 'third')])
        assert(code !== 0 && stderr.includes('store-locked: '), stderr)
      })
    })
  })

  describe('what is too large in lines of JSON', () => {
    beforeEach(() => writeLines([
      { record: 'k'.repeat(70000), text: 'x' },
      { record: 'fits', text: 'x' },
      { record: 'too-large', text: 'x'.repeat(64 * 1024 * 1024 + 1) },
      { list: 'a-list', items: ['an item', 'ä'.repeat(40000)] },
      { list: 'l'.repeat(70000), items: ['1'] }
    ], { records: 3, lists: 2, items: 3 }))

    it('is named before anything is written', async () => {
      const { code, stderr } = await runTool(['import', '--from', 'jsonl', file, '--store', store])
      assert.deepStrictEqual([code, fs.existsSync(store)], [1, false])
      assert(stderr.includes(`source-too-large: ${'k'.repeat(100)}…: its name has 70000 bytes, over 64 KiB, which is more than a store accepts. The source has 4 entries that are too large.`), stderr)
    })
    it('is left out, counted and named with --skip-too-large', async () => {
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--skip-too-large', '--verify'])
      assert.strictEqual(code, 0, stdout)
      for (const line of ['1 record and 1 list with 1 item were brought over', 'left out: too-large (its contents have 67108865 bytes, over 64 MiB)', 'left out: list/a-list (an item of it has 80000 bytes, over 64 KiB)', '4 were left out']) {
        assert(stdout.includes(line), stdout.substring(0, 1000))
      }
      assert.deepStrictEqual(await readEntries(store), [{ record: 'fits', contents: Buffer.from('x') }, { list: 'a-list', items: ['an item'] }])
    })
  })

  it('shows its progress while a source is counted', async () => {
    writeLines([{ record: 'a', text: 'b' }], { records: 1, lists: 0, items: 0 })
    const pipe = path.join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const command = `cat '${pipe}' | '${process.execPath}' '${tool}' import --from jsonl - --store '${store}'`
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (data) => { said += data })
    const slow = fs.openSync(pipe, 'w')
    fs.writeSync(slow, fs.readFileSync(file).subarray(0, 20))
    await until(() => said.includes('records and items counted'))
    fs.writeSync(slow, fs.readFileSync(file).subarray(20))
    fs.closeSync(slow)
    const code = await new Promise((resolve) => child.on('close', resolve))
    assert.deepStrictEqual([code, said.includes('1 record and 0 lists')], [0, true], said)
  })

  function writeLines (lines, counts) {
    const hash = crypto.createHash('sha256')
    const texts = [{ format: 'dashboard-sled', version: 1 }, ...lines].map((line) => JSON.stringify(line) + '\n')
    texts.forEach((text) => hash.update(text))
    fs.writeFileSync(file, texts.join('') + JSON.stringify({ end: counts, sha256: hash.digest('hex') }) + '\n')
  }
})
