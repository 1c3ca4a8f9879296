/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { readRequires } = require('./requires.js')

const root = path.join(__dirname, '..')
const longest = 400
// Which layers of the crate a layer may name.
const arrows = {
  binding: ['allocator', 'record', 'service', 'store'],
  service: ['record', 'store'],
  store: ['record'],
  record: []
}
// The files of the store that apply the rules about stale writes and imports. The others only pass on two types of the rules.
const ruled = /^src\/store\/(change|rule)\.rs$/
const passedOn = ['cipher::Secret', 'stale::Fingerprint', 'ending::Ending']
// Within the embedded engine. `sled` is its `mod.rs`.
const engine = {
  format: [],
  folder: ['format'],
  database: ['folder', 'format'],
  read: ['database', 'format', 'sled'],
  commit: ['database', 'folder', 'format', 'read', 'sled'],
  open: ['commit', 'database', 'folder', 'format', 'read', 'sled'],
  maintenance: ['commit', 'database', 'folder', 'format', 'open', 'read', 'sled']
}

// Within the engine for PostgreSQL. The other files are the store, its thread and its registry.
const databaseEngine = { link: [], tables: ['link'], lease: ['link', 'tables'], commit: ['lease', 'link', 'statistics', 'tables'] }

// They take or give a database, or what it takes.
const handed = ['src/store/sled/format/batch.rs', 'src/store/sled/maintenance/backup.rs', 'src/store/sled/open/create.rs']

// Which files in JavaScript a file or a folder may require; a name that ends in / is a folder without those in it. The first
// row that fits a file counts.
const scripts = [
  ['bin', ['lib/cli/program.js']],
  ['lib/cli', ['index.js', 'package.json', 'lib/', 'lib/cli/', 'lib/control/', 'lib/import/']],
  ['lib/control', ['package.json', 'lib/', 'lib/audit/', 'lib/control/', 'lib/sessions/']],
  ['lib/import/sled.js', ['index.js', 'lib/', 'lib/import/']],
  ['lib/import', ['lib/', 'lib/import/']],
  ['lib/audit', ['lib/', 'lib/audit/']],
  ['lib/events', ['package.json', 'lib/', 'lib/audit/', 'lib/events/']],
  ['lib/sessions', ['lib/', 'lib/audit/', 'lib/events/', 'lib/sessions/']],
  ['lib/metrics.js', ['lib/', 'lib/audit/', 'lib/sessions/']],
  ['lib/metrics-route.js', ['lib/', 'lib/sessions/']],
  ['lib/pages', ['lib/', 'lib/audit/', 'lib/sessions/', 'lib/pages/']],
  ['lib/gate.js', ['lib/', 'lib/sessions/']],
  ['lib/routes.js', ['lib/', 'lib/sessions/', 'lib/pages/']],
  ['lib/native.js', ['native.js', 'package.json', 'lib/']],
  ['lib/server.js', ['lib/routes.js']],
  ['lib', ['lib/']],
  ['src/www', ['lib/routes.js']],
  ['index.js', ['lib/', 'lib/control/', 'lib/events/', 'lib/pages/', 'lib/sessions/']]
]

// A key of the format, from when the quarantine had one use.
const QUARANTINE = '"sessions-to-end"'

describe('layers', () => {
  const files = listFiles(path.join(root, 'src')).filter((file) => file.endsWith('.rs'))
  const required = readRequires()

  for (const [layer, allowed] of Object.entries(arrows)) {
    const inLayer = files.filter((file) => file.startsWith(`src/${layer}/`))

    it(`${layer} names no layer but ${allowed.join(' and ') || 'itself'}`, () => {
      assert(inLayer.length)
      for (const file of inLayer) {
        const named = [...code(file).matchAll(/crate::(\w+)/g)].map((match) => match[1])
        for (const other of named.filter((name) => name !== layer)) {
          assert(allowed.includes(other), `${file} names ${other}`)
        }
      }
    })
    it(`${layer} ${layer === 'binding' ? 'alone knows' : 'does not know'} napi`, () => {
      const knows = inLayer.some((file) => /\bnapi/.test(code(file)))
      assert.strictEqual(knows, layer === 'binding')
    })
    it(`${layer} ${layer === 'store' ? 'alone knows' : 'does not know'} sled`, () => {
      const knows = inLayer.some((file) => /(?<!::)\bsled::[A-Z]/.test(code(file)))
      assert.strictEqual(knows, layer === 'store')
    })
  }

  it('the store applies the rules of records in two files, and passes none of their names on', () => {
    for (const file of files.filter((file) => file.startsWith('src/store/'))) {
      assert(!/\bpub(\([^)]*\))? use crate::record\b/.test(code(file)), file)
      const named = [...withoutTests(file).matchAll(/crate::record\b(?:::)?([\w:]*)/g)].map((match) => match[1])
      assert(ruled.test(file) || named.every((name) => passedOn.includes(name)), `${file} names ${named}`)
    }
  })

  it('the store names its engines in four places', () => {
    for (const file of files.filter((file) => /^src\/store\/[^/]+\.rs$/.test(file))) {
      assert(/(mod|engine|reader|view)\.rs$/.test(file) || !/\b(sled|postgres)::/.test(code(file)), file)
    }
  })
  it('no engine names the other', () => {
    for (const file of files) {
      const [, own] = /^src\/store\/(sled|postgres)\//.exec(file) || []
      assert(!own || !code(file).includes(`store::${own === 'sled' ? 'postgres' : 'sled'}`), file)
    }
  })
  it('the engine for PostgreSQL alone names its client', () => {
    const naming = files.filter((file) => /\b(tokio|tokio_postgres|rustls)\b/.test(code(file)))
    assert.deepStrictEqual(naming.filter((file) => !file.startsWith('src/store/postgres/')), [])
    assert(naming.length)
  })
  for (const [folder, allowed] of Object.entries(databaseEngine)) {
    it(`in the engine for PostgreSQL ${folder} names ${allowed.join(' and ') || 'no other folder'}`, () => {
      const inFolder = files.filter((file) => file.startsWith(`src/store/postgres/${folder}/`))
      assert(inFolder.length)
      for (const file of inFolder) {
        for (const [, other] of withoutTests(file).matchAll(/crate::store::postgres::(\w+)/g)) {
          assert(other === folder || allowed.includes(other), `${file} names ${other}`)
        }
      }
    })
  }

  it('no text of the store names a command, a setting or a session', () => {
    const words = /npx|\B--[a-z]|(?<!DASHBOARD_)SLED_|(?<!ERR_)ENCRYPTION_|\bsessions?\b/
    for (const file of files.filter((file) => file.startsWith('src/store/'))) {
      const texts = withoutTests(file).match(/"(?:[^"\\]|\\.)*"/g) || []
      assert.deepStrictEqual(texts.filter((text) => words.test(text) && text !== QUARANTINE), [], file)
    }
  })

  for (const [folder, allowed] of Object.entries(engine)) {
    const inFolder = files.filter((file) => file.startsWith(`src/store/sled/${folder}/`) && !file.endsWith('_tests.rs'))

    it(`in the engine ${folder} names ${allowed.join(' and ') || 'no other folder'}`, () => {
      assert(inFolder.length)
      for (const file of inFolder) {
        const own = withoutTests(file)
        for (const [, first, group = first] of own.matchAll(/crate::store::sled::(?:(\w+)|\{([^}]*)\})/g)) {
          for (const other of group.split(',').map((name) => name.trim().split('::')[0])) {
            const named = engine[other] ? other : 'sled'
            assert(named === folder || allowed.includes(named), `${file} names ${other}`)
          }
        }
      }
    })
  }
  it('in the engine database alone names sled, but for what it opened', () => {
    const inEngine = files.filter((file) => file.startsWith('src/store/sled/') && !/_tests?\.rs$|\/tests\.rs$/.test(file))
    const naming = inEngine.filter((file) => /(?<!::)\bsled::[A-Z]/.test(withoutTests(file)))
    assert.deepStrictEqual(naming.filter((file) => !file.startsWith('src/store/sled/database/')), handed)
  })

  it('record/keys.rs alone spells keys of the host', () => {
    for (const file of files.filter((file) => file !== 'src/record/keys.rs')) {
      const texts = withoutTests(file).match(/"(?:[^"\\]|\\.)*"/g) || []
      assert.deepStrictEqual(texts.filter((text) => /(account|sessions?)\/|\/(account|session)/.test(text)), [], file)
    }
  })

  it('folder/names.rs alone spells names of files', () => {
    for (const file of files.filter((file) => file.startsWith('src/store/'))) {
      assert(!/\bjoin\("[\w.-]+"\)/.test(withoutTests(file)), file)
    }
  })

  it('the rules do no input or output', () => {
    for (const file of files.filter((file) => file.startsWith('src/record/'))) {
      assert(!/std::(fs|io|net|env|time|thread|process)/.test(code(file)), file)
    }
  })

  for (const [place, allowed] of scripts) {
    const own = [...required].filter(([file]) => scripts.find(([first]) => isIn(file, first))[0] === place)

    it(`${place} requires only ${allowed.join(', ')}`, () => {
      assert(own.length)
      const refused = own.flatMap(([file, names]) => names.filter((name) => !allowed.some((other) => isIn(name, other))).map((name) => `${file} requires ${name}`))
      assert.deepStrictEqual(refused, [])
    })
  }

  it(`no file is over ${longest} lines`, () => {
    const scripts = ['index.js', ...['__test__', 'bench', 'bin', 'docs', 'examples', 'lib'].flatMap((folder) => listFiles(path.join(root, folder)))]
    for (const file of [...files, ...scripts.filter((file) => file.endsWith('.js'))]) {
      const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n').length
      assert(lines <= longest, `${file} has ${lines} lines`)
    }
  })

  function isIn (file, place) {
    return place.endsWith('/') ? `${path.posix.dirname(file)}/` === place : file === place || file.startsWith(`${place}/`)
  }

  function withoutTests (file) {
    return /_tests?\.rs$|\/tests\.rs$/.test(file) ? '' : code(file).split('#[cfg(test)]\nmod tests {')[0]
  }

  function code (file) {
    return fs.readFileSync(path.join(root, file), 'utf8').replace(/^\s*\/\/.*$/gm, '')
  }

  function listFiles (folder) {
    if (!fs.existsSync(folder)) {
      return []
    }
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const found = path.join(folder, entry.name)
      if (entry.name === 'node_modules') {
        return []
      }
      return entry.isDirectory() ? listFiles(found) : [path.relative(root, found)]
    })
  }
})
