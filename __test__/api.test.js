/* eslint-env mocha */
const assert = require('assert')
const { execFile } = require('child_process')
const fs = require('fs')
const path = require('path')
const { promisify } = require('util')
const { open } = require('../index.js')
const { makeFolder } = require('./helper.js')

const root = path.join(__dirname, '..')
const types = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8')
const names = ['Account', 'Audit', 'open', 'progress', 'recover', 'ResetSessionKey', 'restore', 'Session', 'SessionEnd', 'Sessions', 'setup', 'Storage', 'StorageList', 'watch', 'Webhooks']
const examples = readExamples()

// The names that the page gives to the examples: how each is made, and its type.
const given = {
  storage: ['await Storage.setup()', 'import("../../index.js").StorageContainer'],
  lists: ['await StorageList.setup()', 'import("../../index.js").StorageListContainer'],
  store: ["await open({ path: 'data/notes.sled' })", 'import("../../index.js").Store'],
  readFile: ["async (name) => require('fs').readFileSync(name)", '(name: string) => Promise<Buffer>']
}

describe('examples of index.d.ts', function () {
  this.timeout(60000)

  it('every call has one', () => {
    // Dashboard calls setup; a flush is for tests.
    const calls = [...types.matchAll(/^(?: {2}|export function )(\w+)\?? ?\(/gm)].map(([, name]) => name).filter((name) => !['setup', 'flush'].includes(name))
    for (const name of calls) {
      assert(examples.some((code) => new RegExp(`\\b${name}\\(`).test(code)), name)
    }
  })

  it('have right types', async () => {
    const folder = path.join(root, 'target', 'api-examples')
    fs.rmSync(folder, { recursive: true, force: true })
    fs.mkdirSync(folder, { recursive: true })
    examples.forEach((code, i) => {
      const declared = usedBy(code).map((name) => `declare const ${name}: ${given[name][1]}\n`)
      fs.writeFileSync(path.join(folder, `${i}.ts`), `import { ${names.join(', ')} } from '../../index.js'\n${declared.join('')}async function main () {\n${code.replace('catch (error)', 'catch (error: any)')}}\n`)
    })
    const options = { extends: '../../__test__/types/tsconfig.json', compilerOptions: { module: 'nodenext' }, files: examples.map((_, i) => `${i}.ts`) }
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(options))
    await run('npx', ['tsc', '-p', folder], root)
  })

  it('run, and have the values that they say', async () => {
    const folder = makeFolder()
    const prepared = path.join(folder, 'prepared')
    fs.mkdirSync(path.join(folder, 'node_modules'))
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'dashboard-sled'))
    await prepare(prepared)
    examples.forEach((_, i) => fs.cpSync(prepared, path.join(folder, String(i)), { recursive: true }))
    fs.writeFileSync(path.join(folder, 'main.js'), programOf(examples))
    await run(process.execPath, ['main.js'], folder)
    fs.rmSync(folder, { recursive: true })
  })

  it('every error that a call names is a row of the table', () => {
    const rows = [...types.matchAll(/^ \* \| `(ERR_\w+)` \| `([\w-]+…?)` \|/gm)].map(([, code, slug]) => `${slug} ${code}`)
    const thrown = [...types.matchAll(/`([a-z]+-[\w-]+)` \(`(ERR_\w+)`/g)].map(([, slug, code]) => [slug, code])
    assert(thrown.length > 50)
    for (const [slug, code] of thrown) {
      const family = slug.startsWith('invalid-') && ['ERR_INVALID', 'ERR_TOO_LARGE'].includes(code) ? 'invalid-…' : slug
      assert(rows.includes(`${family} ${code}`), `${slug} ${code}`)
    }
  })

  // A store of notes, a backup of it, a picture, and the account and session of the examples in the dashboard's store.
  async function prepare (folder) {
    fs.mkdirSync(folder)
    fs.writeFileSync(path.join(folder, 'picture.png'), 'a picture')
    const notes = await open({ path: path.join(folder, 'data', 'notes.sled') })
    await notes.backup(path.join(folder, 'backups', 'by-hand'))
    await notes.close()
    const dashboard = await open({ path: path.join(folder, 'data', 'dashboard.sled') })
    const at = Math.floor(Date.now() / 1000)
    const account = { object: 'account', accountid: 'account_1', created: at, sessionKeyNumber: 1, sessionKey: 'a-key' }
    const session = { object: 'session', sessionid: 'session_1', accountid: 'account_1', created: at, expires: at + 1200, sessionKeyNumber: 1 }
    await dashboard.storage.write('dashboard/account/account_1', JSON.stringify(account))
    await dashboard.storage.write('dashboard/session/session_1', JSON.stringify(session))
    await dashboard.lists.add('dashboard/sessions', 'session_1')
    await dashboard.close()
  }
})

function readExamples () {
  const found = [...types.matchAll(/^( *)\* @example\n *\* ```js\n([^]*?)\n *\* ```$/gm)]
  return found.map(([, , code]) => code.split('\n').map((line) => line.replace(/^ *\* ?/, '')).join('\n') + '\n')
}

function usedBy (code) {
  return Object.keys(given).filter((name) => new RegExp(`\\b${name}[.(]`).test(code) && !new RegExp(`const ${name} =`).test(code))
}

// Each example runs in a folder of its own, one after the other. A comment behind an expression is its value.
function programOf (examples) {
  const parts = examples.map((code, i) => {
    const checked = code.replace(/^( *)(?!const |let )(\S.*?) \/\/ (.+)$/gm, (_, space, expression, value) => `${space}assert.deepStrictEqual(${expression}, ${value})`)
    const used = usedBy(code)
    const isHosted = /\b(Session|ResetSessionKey|Account)\./.test(code)
    const needsModule = /\b(Sessions|SessionEnd|Audit|Webhooks)\./.test(code)
    return [
      `  process.chdir(require('path').join(__dirname, '${i}'))`,
      '  {',
      ...(isHosted || needsModule ? ['await Storage.setup()'] : []),
      ...(needsModule ? [`require('${root}/lib/sessions/module.js').activateAlone(require('${root}/lib/open-stores.js').mainStore())`] : []),
      ...used.map((name) => `const ${name} = ${given[name][0]}`),
      `{\n${checked}}`,
      ...used.filter((name) => ['storage', 'store'].includes(name)).map((name) => `await ${name}.close().catch(() => {})`),
      '}'
    ].join('\n')
  })
  return `const assert = require('assert')
const { ${names.join(', ')} } = require('dashboard-sled')

async function main () {
${parts.join('\n')}
}

main().catch((error) => {
  console.error(process.cwd(), error)
  process.exitCode = 1
})
`
}

async function run (program, args, cwd) {
  const { NODE_ENV, SLED_PATH, ...env } = process.env
  await promisify(execFile)(program, args, { cwd, env }).catch(({ message, stdout, stderr }) => {
    throw new Error(`${message}\n${stdout}${stderr}`)
  })
}
