/* eslint-env mocha */
// Every command of the documents is run here, in the order of its page, or listed in documents/covered.js.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const covered = require('./documents/covered.js')
const { makePlace } = require('./documents/place.js')
const { blocksOf, commandsOf, manuals } = require('./documents/read.js')
const { until } = require('./helpers/times.js')

const root = path.join(__dirname, '..')
const serves = 'serves'
// After a recovery no session may be live.
const ending = /^(no live session fits|.* (was|were) ended at )/
// Programs that a machine may lack.
const programs = ['rsync', 'systemd-analyze']
// Expected output of each command. A command that serves is started, used and stopped.
const said = {
  'STORAGE=dashboard-sled node main.js': serves,
  'npx dashboard-sled --help': /\nCommands:\n(.*\n)? {2}verify /s,
  'npx dashboard-sled verify': /^\d+ records, .*\nnothing is wrong\n$/,
  'npx dashboard-sled verify /backup/2026-11-22': /^\d+ records, .*\nnothing is wrong\n$/,
  'npx dashboard-sled restore /backup/2026-11-22 --dry-run': /\nevery session of 1 account would be ended\n/,
  'npx dashboard-sled completion bash': /\ncomplete -o default -F _dashboard_sled dashboard-sled\n$/,
  'npx dashboard-sled completion zsh': /^#compdef dashboard-sled\n/,
  'npx dashboard-sled completion fish': /^complete -c dashboard-sled /,
  'npx dashboard-sled verify --repair': /\nnothing is wrong\n$/,
  'npx dashboard-sled backup <folder>': /backup written to backup and verified\n$/,
  'npx dashboard-sled restore <folder>': /\nevery session of 1 account was ended: .*\nthe store takes \S+ MB on the disk\nthe store that was there is kept in .+, with \S+ MB\n$/,
  'npx dashboard-sled recover --invalidate-sessions': /^every session of 1 account was ended\n/,
  'npx dashboard-sled backup /var/lib/dashboard/backups/by-hand': /by-hand and verified\n$/,
  'npx dashboard-sled verify /var/lib/dashboard/backups/by-hand': /\nnothing is wrong\n$/,
  'npx dashboard-sled restore /var/lib/dashboard/backups/by-hand --dry-run': /\nevery session of 1 account would be ended\n/,
  'npx dashboard-sled restore /var/lib/dashboard/backups/by-hand': /\nevery session of 1 account was ended: /,
  'npx dashboard-sled backup /var/lib/dashboard/backups/organizations --store data/dashboard.sled-organizations': /^1 record, .*organizations and verified\n$/s,
  'npx dashboard-sled backup /var/lib/dashboard/backups --keep 14': /Z and verified\n(removed .+\n)*$/,
  'npx dashboard-sled backup /backup/all --keep 14': /Z and verified\n(removed .+\n)*$/,
  'npx dashboard-sled backup /backup/2026-11-22': /2026-11-22 and verified\n$/,
  'npx dashboard-sled restore /backup/2026-11-22': /\nevery session of 1 account was ended: /,
  'npx dashboard-sled export --output dashboard.jsonl': /were exported to dashboard\.jsonl\n$/,
  'npx dashboard-sled import --from jsonl dashboard.jsonl --dry-run': /^[1-9]\d* records? .* would be brought over.*\nnothing was changed\n$/,
  'npx dashboard-sled import --from jsonl dashboard.jsonl --yes': /^[1-9]\d* records? and [1-9]\d* lists? .* were brought over/,
  'npx dashboard-sled import --from jsonl dashboard.jsonl --overwrite --yes': /\nevery session of 1 account was ended\n$/,
  'npx dashboard-sled export | ssh other npx dashboard-sled import --from jsonl -': /^[1-9]\d* records? and [1-9]\d* lists? .* were brought over/,
  'npx dashboard-sled list dashboard/accounts --offset 0 --limit 20': /^account_\w+\n$/,
  'npx dashboard-sled inspect dashboard/account/account_1 --reveal': /"sessionKey": "[0-9a-f]{64}"/,
  'npx dashboard-sled stats': /^application +kind .*\ndashboard +account +1 /s,
  'npx dashboard-sled list dashboard/accounts --limit 10': /^account_\w+\n$/,
  'npx dashboard-sled inspect dashboard/account/account_1': /"sessionKey": "\(redacted\)"/,
  'npx dashboard-sled purge --older-than 30d --dry-run': /^0 of [1-9]\d* sessions? would be removed\n$/,
  'npx dashboard-sled purge --older-than 30d': /^0 of [1-9]\d* sessions? were removed\n$/,
  'npx dashboard-sled sessions list --state live': /^session +account +state /,
  'npx dashboard-sled sessions list --account account_1': /^session +account +state .*\nsession_/,
  'npx dashboard-sled sessions list --count': /^\d+ live, \d+ ended\n$/,
  'npx dashboard-sled sessions show session_1': /^object: session\nsessionid: session_/,
  'npx dashboard-sled sessions end --session session_1 --reason "lost phone"': ending,
  'npx dashboard-sled sessions end --account account_1 --dry-run': / would be ended\n/,
  'npx dashboard-sled sessions end --all-but session_1': ending,
  'npx dashboard-sled sessions end --all --before 1h': /^every session of the application that was created before .* was ended at /,
  'npx dashboard-sled sessions end --all --idle-since 30d': ending,
  'npx dashboard-sled audit': /^number +time +cause /,
  'npx dashboard-sled audit list --account account_1': /^number +time +cause /,
  'npx dashboard-sled audit list --since 7d --cause ended-by-administrator': /^number +time +cause /,
  'npx dashboard-sled audit list --all --format csv': /^number,time,cause,/,
  'npx dashboard-sled audit verify': /^\d+ (entry|entries), and the chain is whole\n$/,
  'npx dashboard-sled audit erase --account account_1': /^(\d+ (entry|entries) about account_\w+ or by it (was|were) erased|the audit has no entry about account_\w+ or by it, so nothing was erased there)\n$/,
  'npx dashboard-sled remove-replaced': /^(removed .+\n)*\S+ \w+ were removed\n$/,
  'npx dashboard-sled compact': /^\S+ MB → \S+ MB\n$/,
  'npx dashboard-sled export --output all.jsonl': /were exported to all\.jsonl\n$/,
  'npx dashboard-sled import --from jsonl all.jsonl --store data/copy.sled --verify': /\nevery record and every list is as in the source\n$/,
  'rsync -a --exclude=\'*.unfinished\' /var/lib/dashboard/backups/ backup-host:dashboard-backups/': /^$/,
  'systemd-analyze verify /etc/systemd/system/dashboard.service': /^$/
}

describe('commands in the documents', function () {
  this.timeout(300000)
  let place
  beforeEach(async () => {
    place = await makePlace()
  })
  afterEach(() => place.remove())

  it('each is run here, or listed in documents/covered.js', () => {
    const found = new Set()
    for (const file of manuals) {
      for (const command of commandsOf(file)) {
        assert(command in said || command in covered, `nothing runs ${command}, of ${file}`)
        found.add(command)
      }
    }
    for (const command of [...Object.keys(said), ...Object.keys(covered)]) {
      assert(found.has(command), `no document has ${command}`)
    }
  })
  it('the test that covers a command exists', () => {
    for (const [command, { file, text, reason }] of Object.entries(covered)) {
      assert(reason || fs.readFileSync(path.join(root, file), 'utf8').includes(text), `${file} has no ${text}, for ${command}`)
    }
  })

  for (const file of manuals) {
    const commands = commandsOf(file).filter((command) => command in said)
    if (commands.length) {
      it(`of ${file} work, one after the other`, async function () {
        const missing = programs.filter((program) => commands.some((command) => command.startsWith(`${program} `)) && !isInstalled(program))
        if (missing.length) {
          assert(!process.env.CI, `${missing.join(' and ')} is missing`)
          console.warn(`SKIPPED: the commands of ${file}, since ${missing.join(' and ')} is missing`)
          return this.skip()
        }
        await prepare()
        for (const command of commands) {
          await run(command)
        }
        if (file === 'docs/operations.md') {
          await checkOperations()
        }
      })
    }
  }

  it('the signal and the numbers of docs/operations.md work in a running dashboard', async () => {
    const [, ...snippets] = blocksOf('docs/operations.md', 'js')
    assert.strictEqual(snippets.length, 2)
    const text = place.withStandIns(snippets.join('\n')).replace('60000', '100')
    fs.appendFileSync(place.main, `\nmodule.exports.then((dashboard) => {\n${text}\n})\n`)
    const server = await place.serve('STORAGE=dashboard-sled node main.js')
    // The first lines may come before anything was written or looked up, and then lack numbers.
    const numbers = await until(() => server.said.stdout.match(/^\{.*\}$/mg)?.map(numbersOf).find((numbers) => !numbers.includes(null)))
    server.child.kill('SIGUSR2')
    const [, backup] = await until(() => /^\d+ records were copied to (.*)$/m.exec(server.said.stdout))
    const backups = path.dirname(backup)
    fs.renameSync(backups, `${backups}-moved`)
    fs.writeFileSync(backups, '')
    server.child.kill('SIGUSR2')
    await until(() => /^no backup: .*/m.exec(server.said.stderr))
    fs.rmSync(backups)
    fs.renameSync(`${backups}-moved`, backups)
    numbers.forEach((number) => assert.strictEqual(typeof number, 'number'))
    server.child.kill()
    await server.ended
    const { code, stdout } = await place.run(`npx dashboard-sled verify --store ${backup}`)
    assert.strictEqual(code, 0, stdout)
  })

  it('the stop of docs/operations.md keeps from where a session was last seen, and a stop without it does not', async () => {
    const [stop] = blocksOf('docs/operations.md', 'js')
    for (const closes of [false, true]) {
      closes && fs.appendFileSync(place.main, stop)
      const server = await place.serve('STORAGE=dashboard-sled node main.js')
      server.child.kill()
      const { code, stderr } = await server.ended
      assert.deepStrictEqual([code, stderr], [closes ? 0 : null, ''])
      const { stdout } = await place.run('npx dashboard-sled sessions list --json')
      const { sessions: [session] } = JSON.parse(stdout)
      assert.strictEqual(Boolean(session.address), closes, stdout)
    }
  })

  it('the Dockerfile of docs/operations.md starts the dashboard as the page does', () => {
    const [file] = blocksOf('docs/operations.md', 'dockerfile')
    const lines = file.trim().split('\n').map((line) => /^([A-Z]+) (.+)$/.exec(line).slice(1))
    const of = (name) => lines.filter(([instruction]) => instruction === name).map(([, text]) => text)
    assert.deepStrictEqual(lines.filter(([instruction]) => !['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'VOLUME', 'USER', 'EXPOSE', 'CMD'].includes(instruction)), [])
    assert.strictEqual(lines[0][0], 'FROM')
    const env = Object.fromEntries(of('ENV')[0].split(' ').map((setting) => setting.split('=')))
    assert.strictEqual(env.STORAGE, 'dashboard-sled')
    // The store is in the volume, which belongs to the user of the process, and the port can be reached from outside.
    assert.strictEqual(path.dirname(env.SLED_PATH), of('VOLUME')[0])
    assert(of('RUN').some((command) => command.includes(`--owner=${of('USER')[0]}`) && command.endsWith(of('VOLUME')[0])))
    assert.strictEqual(env.HOST, '0.0.0.0')
    assert.deepStrictEqual(JSON.parse(of('CMD')[0]), ['node', 'main.js'])
  })

  // Makes what the pages assume: a dashboard with an owner, the store of a module, an old backup, a unit.
  async function prepare () {
    const { application, folder, standIns, state } = place
    await run('STORAGE=dashboard-sled node main.js')
    const organizations = path.join(application, 'data', 'dashboard.sled-organizations')
    const store = await addon.open({ path: organizations })
    await store.storage.write('a-record', 'its contents')
    await store.close()
    standIns['<folder>'] = 'backup'
    for (let day = 10; day < 24; day++) {
      fs.cpSync(organizations, path.join(state, 'backups', `2026-01-${day}T03-00-00Z`), { recursive: true })
    }
    const [unit] = blocksOf('docs/operations.md', 'ini')
    fs.writeFileSync(path.join(folder, 'dashboard.service'), place.withStandIns(unit))
    fs.writeFileSync(path.join(folder, 'dashboard.env'), '')
  }

  async function run (command) {
    if (said[command] === serves) {
      const server = await place.serve(command)
      server.child.kill()
      return server.ended
    }
    if (command.includes('account_1')) {
      const { stdout } = await place.run('npx dashboard-sled list dashboard/accounts --json')
      place.standIns.account_1 = JSON.parse(stdout).items[0]
    }
    if (command.includes('session_1')) {
      const { stdout } = await place.run('npx dashboard-sled sessions list --json')
      place.standIns.session_1 = JSON.parse(stdout).sessions[0].sessionid
    }
    if (command.includes(' recover ')) {
      await goBackInTime()
    }
    // They cannot ask without a terminal.
    const asks = /^npx dashboard-sled (restore|recover|sessions end|audit erase) /.test(command)
    const { code, stdout, stderr } = await place.run(asks ? `${command} --yes` : command)
    // Where the output is the data, the report is on stderr.
    const lines = stderr.split('\n').filter((line) => line && !/^npm warn|^store: |^\d+ records? .* were exported$|^\d+ of \d+ items?$|^\d+ (sessions?|entry|entries)$|^\d+ records? of .* on the disk$| in stores that restores have replaced; /.test(line))
    assert.deepStrictEqual({ command, code, lines }, { command, code: 0, lines: [] })
    assert.match(stdout, said[command], command)
  }

  // Checks what the commands of the page are for.
  async function goBackInTime () {
    const store = path.join(place.application, 'data', 'dashboard.sled')
    const [now, before] = [path.join(store, 'sled'), path.join(place.application, 'before')]
    fs.cpSync(now, before, { recursive: true })
    const opened = await addon.open({ path: store })
    await opened.storage.write('later', 'contents')
    await opened.close()
    fs.rmSync(now, { recursive: true })
    fs.renameSync(before, now)
  }

  // The oldest backup was removed, and the others were copied to the other machine.
  async function checkOperations () {
    const copies = path.join(place.folder, 'backup-host', 'dashboard-backups')
    const dated = fs.readdirSync(copies).filter((name) => name.endsWith('Z')).sort()
    assert.deepStrictEqual([dated.length, dated[0]], [14, '2026-01-11T03-00-00Z'])
    assert(fs.readdirSync(copies).includes('by-hand'))
    const store = await addon.open({ path: path.join(copies, 'by-hand') })
    assert.strictEqual((await store.verify()).problems, 0)
    await store.close()
  }

  function isInstalled (program) {
    return process.env.PATH.split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, program)))
  }

  function numbersOf (line) {
    const { waiting, commits, cache, diskBytes, openSeconds } = JSON.parse(line)
    return [waiting, commits.total, commits.perSecond, commits.milliseconds.p99, commits.recentMilliseconds.p99, commits.staleWrites, cache.hitRate, cache.bytes, diskBytes, openSeconds]
  }
})
