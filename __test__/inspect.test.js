/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const addon = require('../index.js')
const { loadEntries, makeFolder, runTool } = require('./helper.js')
const { encrypt, secrets } = require('./helpers/secret.js')

const account = { object: 'account', accountid: 'account_1', usernameHash: 'HIDDEN1', passwordHash: 'HIDDEN2', sessionKey: 'HIDDEN3', sessionKeyNumber: 2, tokens: ['HIDDEN4'], apiKeys: { a: 'HIDDEN5' }, resetCode: 'HIDDEN6', pin: 4711, created: 5, firstName: 'A name', profile: { secretCodeHash: 'HIDDEN7' } }

describe('inspect', function () {
  this.timeout(60000)
  let folder
  before(async () => {
    folder = makeFolder()
    const text = JSON.stringify(account)
    const store = await addon.open({ path: folder })
    await store.load(Object.entries({
      plain: text,
      encrypted: encrypt(text, secrets),
      upper: encrypt(text, secrets).toUpperCase(),
      map: 'account_1',
      words: 'HIDDEN words',
      json: '"HIDDEN"',
      items: '[{"token":"HIDDEN","created":1},"account_1","HIDDEN"]',
      empty: '',
      binary: Buffer.alloc(100, 255),
      terminal: '\u001b[2Jtext\u202e'
    }).map(([record, contents]) => ({ record, contents: Buffer.from(contents) })))
    await store.load([{ list: 'list', items: ['a', 'b', 'c\u001b[2J', 'd'] }])
    await store.close()
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  for (const [key, form, env] of [['plain', 'JSON', {}], ['encrypted', 'encrypted JSON', secrets], ['upper', 'encrypted JSON', secrets]]) {
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
    const text = JSON.stringify({ sessionKey: 'HIDDEN', object: 'account', displayName: '?' })
    await loadEntries(folder, [{ record: 'odd', contents: Buffer.from(text.replace('?', '\xff'), 'latin1') }])
    const { stdout } = await tool(['inspect', 'odd', '--json'])
    const { form, value } = JSON.parse(stdout)
    assert.deepStrictEqual([form, value], ['JSON', { sessionKey: '(redacted)', object: 'account', displayName: '\ufffd' }])
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
      assert.deepStrictEqual(await tool(['list', 'list', '--offset', '1', '--limit', '2']), { code: 0, stdout: 'c\\u001b[2J\nb\n', stderr: '2 of 4 items after the 1 newest\n' })
      assert.deepStrictEqual(await tool(['list', 'list', '--offset', '9']), { code: 0, stdout: '', stderr: '0 of 4 items after the 9 newest\n' })
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

  describe('a record that it cannot decrypt', () => {
    it('is not shown', async () => {
      await loadEntries(folder, [{ record: 'hex', contents: Buffer.from('ab'.repeat(10e6)) }])
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
  })

  async function tool (args, env) {
    return runTool([...args, '--store', folder], { env })
  }
})
