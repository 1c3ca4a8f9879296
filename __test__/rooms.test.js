/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
const longest = 400
// Which rooms of the crate a room may name.
const arrows = {
  binding: ['administrator', 'allocator', 'record', 'store'],
  administrator: ['record', 'store'],
  // For the rule that a stale write may not undo security, and nothing else.
  store: ['record'],
  record: []
}

describe('rooms', () => {
  const files = listFiles(path.join(root, 'src')).filter((file) => file.endsWith('.rs'))

  for (const [room, allowed] of Object.entries(arrows)) {
    const inRoom = files.filter((file) => file.startsWith(`src/${room}/`))

    it(`${room} names no room but ${allowed.join(' and ') || 'itself'}`, () => {
      assert(inRoom.length)
      for (const file of inRoom) {
        const named = [...code(file).matchAll(/crate::(\w+)/g)].map((match) => match[1])
        for (const other of named.filter((name) => name !== room)) {
          assert(allowed.includes(other), `${file} names ${other}`)
          assert(room !== 'store' || /\/(change|draft)\.rs$/.test(file), `${file} names ${other}`)
        }
      }
    })
    it(`${room} ${room === 'binding' ? 'alone knows' : 'does not know'} napi`, () => {
      const knows = inRoom.some((file) => /\bnapi/.test(code(file)))
      assert.strictEqual(knows, room === 'binding')
    })
    it(`${room} ${room === 'store' ? 'alone knows' : 'does not know'} sled`, () => {
      const knows = inRoom.some((file) => /\bsled::/.test(code(file)))
      assert.strictEqual(knows, room === 'store')
    })
  }

  it('the rules do no input or output', () => {
    for (const file of files.filter((file) => file.startsWith('src/record/'))) {
      assert(!/std::(fs|io|net|env|time|thread|process)/.test(code(file)), file)
    }
  })

  it(`no file is over ${longest} lines`, () => {
    const scripts = ['index.js', ...['__test__', 'bench', 'bin', 'docs', 'examples'].flatMap((folder) => listFiles(path.join(root, folder)))]
    for (const file of [...files, ...scripts.filter((file) => file.endsWith('.js'))]) {
      const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n').length
      assert(lines <= longest, `${file} has ${lines} lines`)
    }
  })

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
