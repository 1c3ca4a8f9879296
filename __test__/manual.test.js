/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { codesOf } = require('../lib/cli/help.js')
const manual = require('../lib/cli/manual.js')
const { makeFolder, runTool } = require('./helper.js')

const page = path.join(__dirname, '..', 'man', 'dashboard-sled.1')
const commands = Object.keys(manual)

describe('the manual', function () {
  this.timeout(60000)
  let folder, store, backup
  before(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    backup = path.join(folder, 'backup')
    const opened = await addon.open({ path: store })
    await opened.storage.write('dashboard/account/account_1', JSON.stringify({ object: 'account', accountid: 'account_1', sessionKey: 'k', sessionKeyNumber: 1 }))
    await opened.lists.add('dashboard/accounts', 'account_1')
    await opened.storage.write('dashboard/session/session_1', JSON.stringify({ object: 'session', sessionid: 'session_1', accountid: 'account_1', sessionKeyNumber: 1, created: 1, expires: 1e10 }))
    await opened.lists.addMany({ 'dashboard/sessions': 'session_1', 'dashboard/account/sessions/account_1': 'session_1' })
    await opened.backup(backup)
    await opened.close()
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  it('has every command', async () => {
    const { stdout } = await runTool(['--help'])
    for (const text of ['SLED_PATH', 'data/dashboard.sled', '\nExit codes:\n', '\n  130  interrupted', 'help <command>']) {
      assert(stdout.includes(text), text)
    }
    const listed = [...stdout.split('\nCommands:\n')[1].split('\n\n')[0].matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name)
    assert.deepStrictEqual(listed.sort(), [...new Set([...commands.map((name) => name.split(' ')[0]), 'help'])].sort())
  })
  for (const name of commands) {
    it(`${name} --help says where the store is, gives an example and the exit codes`, async () => {
      const { code, stdout } = await runTool([...name.split(' '), '--help'])
      assert.strictEqual(code, 0)
      for (const text of ['--store <folder>', '--json', `\n  $ dashboard-sled ${name}`, '\nExit codes:\n', ...(manual[name].opens === false ? [] : ['SLED_PATH', 'data/dashboard.sled'])]) {
        assert(stdout.includes(text), `${text} is missing in ${stdout}`)
      }
      for (const { code, meaning } of codesOf(name)) {
        assert(stdout.replace(/\s+/g, ' ').includes(` ${code} ${meaning}`), `${code} ${meaning}`)
      }
      assert(stdout.split('\n').every((line) => line.length <= 80 || line.startsWith('  $ ')), stdout)
    })
  }

  // Each command as it is, with the fields that the manual names.
  const calls = {
    verify: [[], ['--repair']],
    backup: [[path.join('{folder}', 'new')], [path.join('{folder}', 'all'), '--keep', '1']],
    restore: [['{backup}', '--dry-run'], ['{backup}', '--yes']],
    'remove-replaced': [[]],
    recover: [['--invalidate-sessions', '--even-if-whole', '--dry-run'], ['--invalidate-sessions', '--even-if-whole', '--yes'], ['--salvage', path.join('{folder}', 'saved')]],
    export: [['--output', path.join('{folder}', 'all.jsonl')]],
    import: [['--from', 'jsonl', path.join('{folder}', 'all.jsonl'), '--dry-run'], ['--from', 'jsonl', path.join('{folder}', 'all.jsonl'), '--yes', '--verify'], ['--from', 'jsonl', path.join('{folder}', 'all.jsonl'), '--yes', '--overwrite']],
    purge: [['--older-than', '1d']],
    compact: [[]],
    stats: [[]],
    inspect: [['dashboard/account/account_1']],
    list: [['dashboard/accounts']],
    'sessions list': [[], ['--count']],
    'sessions show': [['session_1']],
    'sessions end': [['--session', 'session_1', '--yes'], ['--all', '--yes']],
    'audit list': [[]],
    'audit verify': [[]],
    'audit erase': [['--account', 'account_1', '--yes']]
  }
  it('names every field of --json, and no other', async () => {
    for (const [name, variants] of Object.entries(calls)) {
      const found = new Set()
      for (const args of variants) {
        const words = args.map((word) => word.replace('{folder}', folder).replace('{backup}', backup))
        const { code, stdout, stderr } = await runTool([...name.split(' '), ...words, '--store', store, '--json'])
        assert.strictEqual(code, 0, stderr)
        Object.keys(JSON.parse(stdout)).forEach((field) => found.add(field))
      }
      assert.deepStrictEqual([name, [...found].sort()], [name, [...new Set(['store', ...manual[name].fields.map(([field]) => field)])].sort()])
    }
    assert.deepStrictEqual(commands.filter((name) => !calls[name]), ['completion'])
  })
  it('is a page of man without a warning', function () {
    const { error, stderr, stdout } = spawnSync('groff', ['-ww', '-man', '-Tutf8', page], { encoding: 'utf8' })
    if (error) {
      console.warn('SKIPPED: the manual page, since groff is missing')
      return this.skip()
    }
    assert.strictEqual(stderr, '')
    assert(stdout.includes('--older-than') && stdout.includes('dashboard-sled purge --older-than 30d'))
  })

  describe('completion', () => {
    for (const [line, expected] of [
      ['', ['backup', 'restore', 'verify', 'list']],
      ['ver', ['verify']],
      ['verify --re', ['--repair']],
      ['--store x pur', ['purge']],
      ['purge --', ['--older-than', '--dry-run', '--store', '--json', '--help']],
      ['completion ', ['bash', 'zsh', 'fish']],
      ['sessions ', ['list', 'show', 'end']],
      ['--json sessions end --all', ['--all', '--all-but']],
      ['audit list --format ', ['text', 'csv', 'json']],
      ['audit ', ['list', 'verify', 'erase', '--since']],
      ['audit --', ['--account', '--actor', '--cause', '--since', '--until', '--limit', '--all', '--format', '--appid', '--json']],
      ['audit --cause ended-', ['ended-by-user', 'ended-by-administrator']],
      ['backup --store ', []]
    ]) {
      it(`of "${line}" by bash`, async () => {
        const { stdout: script } = await runTool(['completion', 'bash'])
        const words = ['dashboard-sled', ...line.split(' ')]
        const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _dashboard_sled; printf '%s\\n' "\${COMPREPLY[@]}"`
        const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' })
        assert.strictEqual(stderr, '')
        const given = stdout.split('\n').filter(Boolean)
        expected.forEach((word) => assert(given.includes(word), `${word} is missing in ${given}`))
        assert(expected.length || !given.length, given)
        assert(given.every((word) => word.startsWith(words[words.length - 1])), given)
      })
    }
    for (const shell of ['zsh', 'fish']) {
      it(`is one that ${shell} can read`, async function () {
        const { stdout: script } = await runTool(['completion', shell])
        const file = path.join(folder, shell)
        fs.writeFileSync(file, script)
        const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
        if (error) {
          console.warn(`SKIPPED: the completion for ${shell}, since it is missing`)
          return this.skip()
        }
        assert.deepStrictEqual([status, stderr], [0, ''])
      })
    }
    it('of another shell is refused', async () => {
      const { code, stderr } = await runTool(['completion', 'tcsh'])
      assert.deepStrictEqual([code, stderr.startsWith("error: command-argument value 'tcsh' is invalid")], [2, true], stderr)
    })
  })
})
