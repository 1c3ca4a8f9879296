/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { assertAllCommands } = require('./helpers/commands.js')
const { damage } = require('./helpers/damage.js')
const { makeFolder, runTool, tool } = require('./helper.js')

const withStore = ['verify', 'stats', 'export', 'list a-list', 'inspect dashboard/session/session_1', 'sessions list', 'sessions show session_1', 'audit list', 'audit verify']
const withoutStore = ['purge --older-than 1s', 'compact', 'remove-replaced', 'recover --invalidate-sessions --even-if-whole --yes', 'sessions end --all --yes', 'audit erase --account a --yes']

describe('the command line', function () {
  this.timeout(60000)
  let folder, store, other, env
  beforeEach(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    other = path.join(folder, 'other')
    env = { SLED_PATH: store }
    await fill(store, 'dashboard/session/session_1')
    await fill(other, 'another')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  describe('too many arguments', () => {
    it('are tried with every command', () => assertAllCommands([...withStore, ...withoutStore], ['backup', 'restore', 'import', 'completion']))
    for (const command of withoutStore) {
      it(`${command} <folder> is refused, and nothing is changed`, async () => {
        const before = snapshot(store)
        const { code, stdout, stderr } = await run(`${command} ${other}`)
        assert.deepStrictEqual([code, stdout], [2, ''])
        assert.match(stderr, /^error: too many arguments for '[a-z-]+'\. Expected 0 arguments but got 1\. The store is named with --store; --help has what the command takes\.\n$/)
        assert.deepStrictEqual(snapshot(store), before)
      })
    }
    for (const command of [...withStore.map((command) => `${command} ${'{other}'}`), 'backup {new}', 'restore {other} --yes']) {
      it(`${command} and one more are refused`, async () => {
        const { code, stderr } = await run(`${command.replace('{other}', other).replace('{new}', path.join(folder, 'new'))} more`)
        assert.deepStrictEqual([code, /^error: too many arguments/.test(stderr)], [2, true], stderr)
        assert(!fs.existsSync(path.join(folder, 'new')))
      })
    }
  })

  describe('the store', () => {
    for (const command of ['verify', 'stats', 'export']) {
      it(`is an argument of ${command}`, async () => {
        const named = await run(`${command} ${other}`)
        const option = await run(`${command} --store ${other}`)
        const own = await run(command)
        assert.deepStrictEqual(named, option)
        assert.notStrictEqual(named.stdout, own.stdout)
      })
    }
    it('is the second argument of list and inspect', async () => {
      assert.deepStrictEqual(await run(`list b-list ${other}`), { code: 0, stdout: 'b\na\n', stderr: '2 of 2 items\n' })
      assert.strictEqual((await run(`inspect another ${other}`)).code, 0)
      assert.strictEqual((await run('inspect another')).code, 1)
    })
    it('is named once', async () => {
      const { code, stderr } = await run(`verify ${other} --store ${other}`)
      assert.deepStrictEqual([code, stderr], [2, 'invalid-store: the store is named twice, as an argument and by --store; name it once\n'])
      for (const command of [['verify', ''], ['verify', '--store', '']]) {
        assert.strictEqual((await runTool(command, { env })).code, 2)
      }
    })
    it('is said on stderr where the command line does not name it', async () => {
      assert.strictEqual((await run('verify')).stderr, `store: ${store} (from SLED_PATH)\n`)
      assert.strictEqual((await run(`verify --store ${store}`)).stderr, '')
      assert.strictEqual((await run(`verify ${store}`)).stderr, '')
      const { code, stderr } = await run('verify', { SLED_PATH: '' })
      const [line] = stderr.split('\n')
      assert.deepStrictEqual([code, line], [4, `store: ${path.resolve('data', 'dashboard.sled')} (the default, because neither --store nor SLED_DATABASE_URL nor SLED_PATH is given)`])
    })
    it('is in the JSON', async () => {
      const { stdout, stderr } = await run('verify --json')
      assert.deepStrictEqual([JSON.parse(stdout).store, stderr], [store, ''])
    })
    it('that is a file, or a link that leads nowhere, has a sentence', async () => {
      const file = path.join(folder, 'file')
      const link = path.join(folder, 'link')
      fs.writeFileSync(file, '')
      fs.symlinkSync('nowhere', link)
      for (const [name, sentence] of [[file, `${file} is not a folder`], [link, `${link} is a symbolic link to nowhere, which does not exist`]]) {
        for (const [command, code, slug] of [[`verify ${name}`, 4, 'store-missing'], [`backup ${name}`, 1, 'store-foreign-folder'], [`restore ${name} --yes`, 4, 'store-missing'], [`recover --salvage ${name}`, 1, 'store-foreign-folder']]) {
          const { code: found, stderr } = await run(command.startsWith('verify') ? command : `${command} --store ${store}`)
          assert.deepStrictEqual([command, found, stderr.startsWith(`${slug}: ${sentence}; `)], [command, code, true], stderr)
        }
      }
    })
  })

  describe('exit codes', () => {
    it('2 for the help of an unknown command', async () => {
      assert.deepStrictEqual(await run('help check'), { code: 2, stdout: '', stderr: "error: unknown command 'check'; dashboard-sled --help lists them\n" })
      const { code, stdout, stderr } = await run('help check --json')
      assert.deepStrictEqual([code, stdout, JSON.parse(stderr).error.detail], [2, '', "unknown command 'check'; dashboard-sled --help lists them"])
      for (const command of ['help', 'help help', 'help verify', 'help backup', '--help', 'verify --help']) {
        const { code, stdout, stderr } = await run(command)
        assert.deepStrictEqual([code, stdout.startsWith('Usage: '), stderr], [0, true, ''], command)
      }
    })
    it('2 for what the parser refuses, as JSON on stderr with --json', async () => {
      for (const [command, detail] of [
        ['nothing', "unknown command 'nothing'"],
        ['verify --nothing', "unknown option '--nothing'"],
        ['backup', "missing required argument 'folder'"],
        ['purge', "required option '--older-than <age>' not specified"],
        ['', 'name a command; dashboard-sled --help lists them'],
        ['list a --limit 0', "option '--limit <number>' argument '0' is invalid. It is not a whole number from 1 on."]
      ]) {
        const { code, stdout, stderr } = await run(`${command} --json`)
        const { error } = JSON.parse(stderr)
        assert.deepStrictEqual([code, stdout, error], [2, '', { message: 'invalid-command-line', code: 'ERR_USAGE', detail }])
      }
    })
    it('the error of a command is JSON on stderr with --json', async () => {
      const { code, stdout, stderr } = await run(`verify ${path.join(folder, 'missing')} --json`)
      const { error } = JSON.parse(stderr)
      assert.deepStrictEqual([code, stdout, error.message, error.code, /^there is no store in /.test(error.detail)], [4, '', 'store-missing', 'ERR_STORE_MISSING', true])
    })
    it('1 could not run, 3 found something, 5 locked, 6 damaged', async () => {
      assert.strictEqual((await run('list missing')).code, 1)
      const opened = await addon.open({ path: store })
      assert.strictEqual((await run('verify')).code, 5)
      await opened.close()
      damage(store, { records: ['dashboard/session/session_1'] })
      assert.strictEqual((await run('verify')).code, 3)
      assert.strictEqual((await run('stats')).code, 3)
      assert.strictEqual((await run(`backup ${path.join(folder, 'new')}`)).code, 6)
      assert.strictEqual((await run('inspect dashboard/session/session_1')).code, 6)
    })
    for (const [signal, number] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
      it(`${number} for ${signal}, as a shell sees it`, async () => {
        const pipe = path.join(folder, 'pipe')
        spawnSync('mkfifo', [pipe])
        const said = path.join(folder, 'said')
        fs.writeFileSync(said, '')
        // Nobody reads from the pipe, so the export waits. It handles signals once it has printed its first line.
        const script = `"${process.execPath}" "${tool}" export --output "${pipe}" 2> "${said}" &
          until grep -q '^store: ' "${said}"; do sleep 0.05; done
          kill -${signal} $!; wait $!; echo $?`
        const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { ...process.env, ...env } })
        assert.strictEqual(stdout, `${number}\n`)
        assert.match(fs.readFileSync(said, 'utf8'), new RegExp(`\ninterrupted: ended by ${signal}\n`))
      })
    }
  })

  describe('output', () => {
    it('of list and stats is data alone; the summary is on stderr', async () => {
      assert.deepStrictEqual(await run(`list a-list ${store}`), { code: 0, stdout: 'b\na\n', stderr: '2 of 2 items\n' })
      const { stdout, stderr } = await run(`stats ${store}`)
      assert.strictEqual(stdout.trim().split('\n').length, 2)
      assert.match(stderr, /^1 record of 8 bytes, 1 list with 2 items, \S+ MB on the disk\n$/)
    })
    it('ends quietly where its reader has ended', async () => {
      const many = path.join(folder, 'many')
      await fill(many, 'record', Array.from({ length: 30000 }, (_, i) => `item ${i} ${'x'.repeat(50)}`))
      for (const command of [`list a-list --limit 30000 ${many}`, `export ${many}`]) {
        const { stdout, stderr } = shell(`${command} | head -n 1; echo "\${PIPESTATUS[0]}"`)
        assert.deepStrictEqual([stdout.split('\n')[1], stderr], ['141', ''])
      }
    })
    it('that cannot be written is an error', () => {
      for (const command of ['list a-list', 'stats', 'verify', 'export', 'verify --json']) {
        const { status, stderr } = shell(`${command} --store ${store} > /dev/full`)
        assert.deepStrictEqual([command, status, stderr.includes('no space left')], [command, 1, true], stderr)
      }
    })
    it('has nothing that a terminal would obey, and the JSON is equal', async () => {
      const odd = 'a\u001b[2J\u009b\u202e\u2066\u200f\n\t\u2028"\\'
      const named = path.join(folder, 'named')
      await fill(named, `dashboard/account/${odd}`, [odd])
      const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/ // eslint-disable-line no-control-regex
      const listed = await runTool(['list', 'a-list', named])
      assert.strictEqual(listed.stdout, 'a\\u001b[2J\\u009b\\u202e\\u2066\\u200f\\u000a\\u0009\\u2028"\\\n')
      const json = await runTool(['list', 'a-list', named, '--json'])
      assert.deepStrictEqual([JSON.parse(json.stdout).items, obeyed.test(json.stdout)], [[odd], false])
      const exported = await runTool(['export', named])
      assert.strictEqual(obeyed.test(exported.stdout), false)
      const back = path.join(folder, 'back')
      const imported = await runTool(['import', '--from', 'jsonl', '-', '--store', back, '--verify'], { input: exported.stdout })
      assert.strictEqual(imported.code, 0, imported.stderr)
      const failed = await runTool(['inspect', odd, named])
      assert.strictEqual(failed.stderr, 'record-missing: there is no record a\\u001b[2J\\u009b\\u202e\\u2066\\u200f\\u000a\\u0009\\u2028"\\\n')
    })
    it('has sizes for people, and bytes in the JSON', async () => {
      const { stdout } = await run(`compact --store ${store}`)
      assert.match(stdout, /^\d+(\.\d)? [kM]B → \d+(\.\d)? [kM]B\n$/)
      const { before } = JSON.parse((await run(`compact --store ${store} --json`)).stdout)
      assert(Number.isInteger(before))
    })
  })

  function run (command, more = {}) {
    return runTool(command.split(' ').filter(Boolean), { env: { ...env, ...more } })
  }

  function shell (command) {
    return spawnSync('bash', ['-c', `"${process.execPath}" "${tool}" ${command}`], { encoding: 'utf8', env: { ...process.env, ...env } })
  }

  async function fill (path, record, items = ['a', 'b']) {
    const opened = await addon.open({ path })
    await opened.storage.write(record, 'contents')
    await opened.lists.addMany({ [path === other ? 'b-list' : 'a-list']: items[0] })
    await opened.load([{ list: path === other ? 'b-list' : 'a-list', items }])
    await opened.close()
  }

  function snapshot (folder) {
    return fs.readdirSync(folder, { recursive: true }).map(String).sort().map((name) => [name, fs.statSync(path.join(folder, name)).mtimeMs])
  }
})
