/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const addon = require('../index.js')
const { makeFolder, runTool, useStore } = require('./helper.js')
const { encrypt, secrets } = require('./helpers/secret.js')

const account = { object: 'account', accountid: 'account_1', usernameHash: 'HIDDEN1', passwordHash: 'HIDDEN2', sessionKey: 'HIDDEN3', sessionKeyNumber: 2, tokens: ['HIDDEN4'], apiKeys: { a: 'HIDDEN5' }, resetCode: 'HIDDEN6', pin: 4711, created: 5, firstName: 'A name', profile: { secretCodeHash: 'HIDDEN7' } }

describe('inspect', function () {
  this.timeout(60000)
  let folder
  beforeEach(async () => {
    folder = makeFolder()
    const text = JSON.stringify(account)
    const store = await addon.open({ path: folder })
    await store.load(Object.entries({
      plain: text,
      encrypted: encrypt(text, secrets),
      map: 'account_1',
      words: 'HIDDEN words',
      json: '"HIDDEN"',
      items: '[{"token":"HIDDEN","created":1},"account_1","HIDDEN"]',
      hex: 'ab'.repeat(10e6),
      empty: '',
      binary: Buffer.alloc(100, 255),
      terminal: '\u001b[2Jtext\u202e'
    }).map(([record, contents]) => ({ record, contents: Buffer.from(contents) })))
    await store.load([{ list: 'list', items: ['a', 'b', 'c\u001b[2J', 'd'] }])
    await store.close()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  for (const [key, form, env] of [['plain', 'JSON', {}], ['encrypted', 'encrypted JSON', secrets]]) {
    it(`shows a record, its secrets redacted, ${key}`, async () => {
      const { code, stdout } = await tool(['inspect', key], env)
      assert.strictEqual(code, 0)
      const [head, ...lines] = stdout.split('\n')
      const bytes = JSON.stringify(account).length
      assert.strictEqual(head, `${key}: ${key === 'plain' ? bytes : 2 * bytes} bytes, ${form}`)
      assert.deepStrictEqual(JSON.parse(lines.join('\n')), {
        ...account,
        usernameHash: '(redacted)',
        passwordHash: '(redacted)',
        sessionKey: '(redacted)',
        tokens: '(redacted)',
        apiKeys: '(redacted)',
        resetCode: '(redacted)',
        pin: '(redacted)',
        profile: '(redacted)'
      })
      assert(!stdout.includes('HIDDEN') && !stdout.includes('4711'))
      const json = await tool(['inspect', key, '--json'], env)
      assert(!json.stdout.includes('HIDDEN') && JSON.parse(json.stdout).value.accountid === 'account_1')
      const revealed = await tool(['inspect', key, '--reveal', '--json'], env)
      assert.deepStrictEqual(JSON.parse(revealed.stdout).value, account)
    })
  }
  it('shows no secret of an account with a byte that is not UTF-8, which Dashboard reads all the same', async () => {
    const store = await addon.open({ path: folder })
    const text = JSON.stringify({ sessionKey: 'HIDDEN', object: 'account', displayName: '?' })
    await store.load([{ record: 'odd', contents: Buffer.from(text.replace('?', '\xff'), 'latin1') }])
    await store.close()
    const { stdout } = await tool(['inspect', 'odd', '--json'])
    const { form, value } = JSON.parse(stdout)
    assert.deepStrictEqual([form, value], ['JSON', { sessionKey: '(redacted)', object: 'account', displayName: '\ufffd' }])
  })
  it('shows nothing of a record that it cannot decrypt', async () => {
    for (const env of [{}, { ...secrets, ENCRYPTION_SECRET: 'x'.repeat(32) }, { ...secrets, ENCRYPTION_SECRET: 'short' }]) {
      for (const key of ['encrypted', 'hex']) {
        for (const reveal of [[], ['--reveal']]) {
          const { code, stdout, stderr } = await tool(['inspect', key, ...reveal], env)
          assert.deepStrictEqual([code, stdout], [1, ''])
          assert.match(stderr, new RegExp(`^record-unreadable: the record ${key} seems to be encrypted, and could not be decrypted; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them\n$`))
        }
      }
    }
  })
  it('shows what is not JSON by what it is, and what may be secret with --reveal alone', async () => {
    for (const [key, form, redacted, revealed] of [
      ['map', '9 bytes, text', 'account_1', 'account_1'],
      ['empty', '0 bytes, text', '', ''],
      ['words', '12 bytes, text', '(redacted)', 'HIDDEN words'],
      ['json', '8 bytes, JSON', '(redacted)', 'HIDDEN'],
      ['binary', '100 bytes, binary', '(redacted)', `${'ff'.repeat(64)}…`],
      ['terminal', '11 bytes, text', '(redacted)', '\\u001b[2Jtext\\u202e']
    ]) {
      for (const env of [{}, secrets]) {
        assert.strictEqual((await tool(['inspect', key], env)).stdout, `${key}: ${form}\n${redacted}\n`)
        assert.strictEqual((await tool(['inspect', key, '--reveal'], env)).stdout, `${key}: ${form}\n${revealed}\n`)
      }
    }
  })
  it('looks into arrays', async () => {
    const { value } = JSON.parse((await tool(['inspect', 'items', '--json'])).stdout)
    assert.deepStrictEqual(value, [{ token: '(redacted)', created: 1 }, 'account_1', '(redacted)'])
  })
  it('says that there is none', async () => {
    const { code, stderr } = await tool(['inspect', 'missing\u001b'])
    assert.deepStrictEqual([code, stderr], [1, 'record-missing: there is no record missing\\u001b\n'])
    assert.strictEqual((await tool(['inspect'])).code, 2)
  })

  describe('list', () => {
    it('shows a list, newest first', async () => {
      assert.deepStrictEqual(await tool(['list', 'list']), { code: 0, stdout: 'd\nc\\u001b[2J\nb\na\n', stderr: '4 of 4 items\n' })
      assert.deepStrictEqual(await tool(['list', 'list', '--offset', '1', '--limit', '2']), { code: 0, stdout: 'c\\u001b[2J\nb\n', stderr: '2 of 4 items behind the 1 newest\n' })
      assert.deepStrictEqual(await tool(['list', 'list', '--offset', '9']), { code: 0, stdout: '', stderr: '0 of 4 items behind the 9 newest\n' })
      assert.deepStrictEqual(JSON.parse((await tool(['list', 'list', '--json', '--limit', '1'])).stdout), { store: folder, list: 'list', count: 4, offset: 0, items: ['d'] })
    })
    it('says that there is none, and what is no number', async () => {
      const { code, stderr } = await tool(['list', 'missing'])
      assert.deepStrictEqual([code, stderr], [1, 'list-missing: there is no list missing\n'])
      for (const args of [['--limit', '0'], ['--limit', 'x'], ['--offset', '-1'], ['--offset', '1.5'], ['--limit', '']]) {
        const { code, stderr } = await tool(['list', 'list', ...args])
        assert.deepStrictEqual([code, stderr.startsWith('error: ')], [2, true], stderr)
      }
    })
  })

  async function tool (args, env) {
    return runTool([...args, '--store', folder], { env })
  }
})

describe('stats', function () {
  this.timeout(60000)
  const store = useStore()

  it('of a running store: what was written and how long that took, what memory answered, what waits', async () => {
    const before = await store.storage.stats()
    assert.deepStrictEqual([before.waiting, before.commits.total, before.commits.milliseconds.p50, before.cache.hitRate], [0, 0, null, null])
    for (let i = 0; i < 20; i++) {
      await store.storage.write(`file/${i}`, 'contents')
    }
    const { commits, cache, diskBytes, openSeconds } = await store.storage.stats()
    assert.strictEqual(commits.total, 20)
    assert(commits.perSecond > 0 && commits.perSecond <= 20)
    const { p50, p90, p99, max } = commits.milliseconds
    assert(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= max && max < 10000)
    assert(diskBytes > 1000 && openSeconds > 0 && cache.bytes > 20 * 8)
    const writing = []
    let waiting = 0
    // The writer may be done with the first ones before the numbers are asked for.
    for (let turn = 0; turn < 20 && !waiting; turn++) {
      writing.push(...Array.from({ length: 2000 }, (_, i) => store.storage.write(`many/${i}`, 'x'.repeat(1000))))
      waiting = (await store.storage.stats()).waiting
    }
    assert(waiting > 0)
    await Promise.all(writing)
    assert.strictEqual((await store.storage.stats()).waiting, 0)
  })
  it('count each look-up once, by where it was answered', async () => {
    await store.storage.write('file', 'contents')
    await store.reopen()
    const lookups = async () => {
      const { hits, misses, hitRate } = (await store.storage.stats()).cache
      return [hits, misses, hitRate]
    }
    assert.deepStrictEqual(await lookups(), [0, 0, null])
    await store.storage.read('file')
    assert.deepStrictEqual(await lookups(), [0, 1, 0])
    for (let i = 0; i < 3; i++) {
      await store.storage.read('file')
    }
    assert.deepStrictEqual(await lookups(), [3, 1, 0.75])
  })
  it('of what a store holds, by application and kind', async () => {
    await Promise.all([
      store.storage.write('dashboard/account/account_1', '12345'),
      store.storage.write('dashboard/account/account_2', '1'),
      store.storage.write('dashboard/map/usernames/hash', '12'),
      store.storage.write('dashboard/map/account/resetCodes/account_1/hash', '123'),
      store.storage.writeBinary('other/session/session_1', Buffer.alloc(9000)),
      store.storage.write('without', '1'),
      store.storageList.addMany({ a: 1, b: 2 }),
      store.storageList.add('a', 2)
    ])
    const opened = await addon.open({ path: process.env.SLED_PATH })
    const usage = await opened.usage()
    await opened.close()
    const expected = {
      records: 6,
      bytes: 9012,
      lists: 2,
      items: 3,
      damaged: 0,
      described: [],
      kinds: [
        { appid: '', kind: '', records: 1, bytes: 1 },
        { appid: 'dashboard', kind: 'account', records: 2, bytes: 6 },
        { appid: 'dashboard', kind: 'map/account/resetCodes', records: 1, bytes: 3 },
        { appid: 'dashboard', kind: 'map/usernames', records: 1, bytes: 2 },
        { appid: 'other', kind: 'session', records: 1, bytes: 9000 }
      ]
    }
    assert.deepStrictEqual(usage, expected)
    await store.storage.close()
    const json = JSON.parse((await runTool(['stats', '--json'])).stdout)
    assert(json.diskBytes > 9000)
    assert.deepStrictEqual(json, { store: process.env.SLED_PATH, ...expected, diskBytes: json.diskBytes, replacedBytes: 0 })
    const { code, stdout, stderr } = await runTool(['stats'])
    assert.deepStrictEqual([code, stdout.split('\n').slice(0, 4)], [0, [
      'application  kind                    records     size',
      '-            -                             1  1 bytes',
      'dashboard    account                       2  6 bytes',
      'dashboard    map/account/resetCodes        1  3 bytes'
    ]])
    assert.match(stderr, /^store: .*\n6 records of 9 kB, 2 lists with 3 items, \d+\.\d MB on the disk\n$/)
    await store.open()
  })
  it('of keys that are nobody\'s, in bounded memory', async () => {
    const opened = await addon.open({ path: process.env.SLED_PATH })
    await opened.load(Array.from({ length: 1500 }, (_, i) => ({ record: `app${i}/kind/id`, contents: Buffer.from('1') })))
    const { kinds, records } = await opened.usage()
    await opened.close()
    assert.strictEqual(records, 1500)
    assert.strictEqual(kinds.length, 1001)
    assert.deepStrictEqual(kinds[0], { appid: '', kind: '', records: 500, bytes: 500 })
  })
})
