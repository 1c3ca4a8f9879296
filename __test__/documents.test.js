/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { makeApi, page } = require('../docs/make-api.js')
const { makeCommands, pages } = require('../docs/make-commands.js')
const { makeProgram } = require('../lib/cli/program.js')
const { documents, read } = require('./documents/read.js')

const root = path.join(__dirname, '..')

describe('documents', () => {
  it('docs/api.md is what npm run docs makes', async () => {
    assert.strictEqual(fs.readFileSync(page, 'utf8'), await makeApi(), 'run npm run docs, and commit docs/api.md')
  }).timeout(60000)

  it('docs/commands.md and the manual page are what npm run docs makes', () => {
    for (const [name, text] of Object.entries(makeCommands())) {
      assert.strictEqual(fs.readFileSync(pages[name], 'utf8'), text, `run npm run docs, and commit ${pages[name]}`)
    }
  })

  it('every name that the package gives is in docs/api.md', () => {
    const text = read('docs/api.md')
    for (const name of Object.keys(require('../index.js'))) {
      assert(text.includes(`\n### \`${name}\`\n`), name)
    }
  })

  for (const file of documents) {
    it(`every link of ${file} leads somewhere`, () => {
      for (const target of linksOf(file)) {
        if (/^https?:/.test(target)) {
          continue
        }
        const [name, anchor] = target.split('#')
        const found = name ? path.join(path.dirname(file), name) : file
        assert(fs.existsSync(path.join(root, found)), `${file} leads to ${target}`)
        assert(!anchor || anchors(found).includes(anchor), `${file} leads to ${target}`)
      }
    })
  }

  it('every file of the project or of Dashboard that a document names is there', () => {
    const folders = [root, path.join(__dirname, 'contract', 'application', 'node_modules', '@userdashboard', 'dashboard')]
    const named = documents.filter((file) => file !== 'CHANGELOG.md')
      .flatMap((file) => [...read(file).matchAll(/`((?:src|lib|bin|bench|benches|docs|examples|fuzz|__test__|\.ci)\/[\w./-]+\.\w+)`/g)].map(([, name]) => [file, name]))
    assert(named.length > 50)
    assert.deepStrictEqual(named.filter(([, name]) => !folders.some((folder) => fs.existsSync(path.join(folder, name)))), [])
  })

  it('every link of README.md and of docs leads to a file of the package', () => {
    const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }))
    const packed = files.map(({ path }) => path)
    // `npm start` installs the example where it is.
    assert.deepStrictEqual(packed.filter((name) => name.includes('node_modules/')), [])
    for (const file of documents.filter((file) => file === 'README.md' || file.startsWith('docs/'))) {
      assert(packed.includes(file), file)
      for (const target of linksOf(file).filter((target) => !/^(https?:|#)/.test(target))) {
        const found = path.join(path.dirname(file), target.split('#')[0])
        assert(packed.some((name) => name === found || name.startsWith(`${found}/`)), `${file} leads to ${target}, which is not in the package`)
      }
    }
  }).timeout(60000)

  // Sources and types.
  const sources = [...filesIn('lib'), ...filesIn('src'), 'index.js', 'index.d.ts'].map(read).join('\n')
  const operations = read('docs/operations.md')

  for (const [title, pattern] of Object.entries({ 'code of an error': /\bERR_[A-Z_]+[A-Z]\b/g, 'code of a warning': /\bDASHBOARD_SLED_[A-Z]+\b/g })) {
    it(`every ${title} has one row in docs/operations.md, and there are no other rows`, () => {
      const named = new Set(sources.match(pattern))
      assert(named.size > 3)
      const rows = operations.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('`')[1]).filter((code) => code.match(pattern))
      assert.deepStrictEqual(rows.sort(), [...named].sort())
    })
  }
  it('every code that the package itself gives is one of the types', () => {
    const types = read('index.d.ts')
    const union = [.../type ErrorCode =\n((?: {2}\| '\w+'\n)+)/.exec(types)[1].matchAll(/'(\w+)'/g)].map(([, code]) => code)
    const given = [...filesIn('lib'), ...filesIn('src'), 'index.js'].filter((file) => !/^lib\/(cli|control|import)\//.test(file)).map(read).join('\n')
    const named = new Set([...given.matchAll(/\bERR_[A-Z_]+[A-Z]\b/g)].map(([code]) => code))
    // Codes of settings are made from their names; codes of imports come from the streams that are loaded.
    const others = [...types.matchAll(/^ \* \| `(ERR_SLED_\w+|ERR_SOURCE|ERR_EXPORT_DAMAGED)`/gm)].map(([, code]) => code)
    assert.deepStrictEqual([...union].sort(), [...new Set([...named, ...others])].sort())
    assert.deepStrictEqual(new Set([...types.matchAll(/^ \* \| `(ERR_\w+)`/gm)].map(([, code]) => code)), new Set(union))
  })
  it('every property of an account that the host writes is one of the types, or a secret', () => {
    const host = path.join(__dirname, 'contract', 'application', 'node_modules', '@userdashboard', 'dashboard', 'src', 'www', 'api')
    const scripts = fs.readdirSync(host, { recursive: true }).filter((name) => name.endsWith('.js') && !name.endsWith('.test.js')).map((name) => fs.readFileSync(path.join(host, name), 'utf8')).join('\n')
    const written = [...scripts.matchAll(/setProperty\(`\$\{[\w.]+\}\/account\/\$\{[\w.]+\}`, '(\w+)'|accountProperties\.(\w+) =/g)].map(([, one, other]) => one || other)
    assert(written.length > 10)
    const [, account] = /export interface Account \{([^}]*)\}/.exec(read('index.d.ts'))
    const typed = [...account.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name)
    assert.deepStrictEqual(written.filter((name) => !typed.includes(name) && !['passwordHash', 'sessionKey', 'usernameHash'].includes(name)), [])
  })
  it('every setting is in README.md', () => {
    const settings = new Set(sources.match(/\bSLED_[A-Z_]+[A-Z]\b/g))
    assert(settings.size >= 3)
    for (const setting of settings) {
      assert(read('README.md').includes(`\n| \`${setting}\` |`), setting)
    }
  })
  it('the table in faults/run.js has a row for every file of faults, and no other', () => {
    const files = filesIn('__test__/faults').filter((file) => file.endsWith('.fault.js')).map((file) => path.basename(file, '.fault.js'))
    const [, table] = /^\/\/ file .* control, .*\n((?:\/\/ .*\n)+)/m.exec(read('__test__/faults/run.js'))
    const rows = [...table.matchAll(/^\/\/ ([\w-]+) /gm)].map(([, name]) => name)
    assert.deepStrictEqual(rows, files.sort())
  })
  it('every command of the tool is in docs/operations.md', () => {
    const commands = makeProgram().commands.map((command) => command.name())
    assert(commands.length >= 13)
    for (const name of commands) {
      assert(operations.includes(`npx dashboard-sled ${name} `) || operations.includes(`npx dashboard-sled ${name}\``), name)
    }
  })

  function filesIn (folder) {
    return fs.readdirSync(path.join(root, folder), { withFileTypes: true })
      .flatMap((entry) => entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`])
  }

  // Anchors as GitHub makes them from headings.
  function anchors (file) {
    const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
    return headings.map((heading) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
  }
})

function linksOf (file) {
  return [...read(file).matchAll(/(?:\]\(|src=")([^)\s"]+)/g)].map(([, target]) => target)
}
