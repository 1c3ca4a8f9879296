/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { readRequires } = require('./requires.js')

const root = path.join(__dirname, '..', 'src')

// Files of the crate that name each other in a circle cannot be read one after the other. Re-exports of a mod.rs are names
// only, and tests may name whatever they test.
describe('circles', () => {
  it('no files of the crate name each other in a circle', () => {
    assert.deepStrictEqual(circles(readArrows()), [])
  })
  it('no files in JavaScript require each other in a circle', () => {
    assert.deepStrictEqual(circles(readRequires()), [])
  })
  it('finds a circle', () => {
    assert.deepStrictEqual(circles(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), [['b', 'c']])
  })
})

function readArrows () {
  const modules = new Map(list(root).map((file) => [nameOf(file), file]))
  const find = (segments) => {
    for (let length = segments.length; length > 0; length--) {
      const name = segments.slice(0, length).join('::')
      if (modules.has(name)) {
        return name
      }
    }
  }
  assert(modules.size > 60)
  return new Map([...modules].map(([name, file]) => {
    const own = name.split('::')
    const isFolder = file.endsWith('mod.rs')
    const code = fs.readFileSync(file, 'utf8').split('#[cfg(test)]\nmod tests {')[0]
      .replace(/^\s*\/\/.*$/gm, '').replace(/pub\(in [\w:]+\)/g, 'pub')
      .replace(isFolder ? /^pub use [^;]+;/gm : /(?!)/g, '')
    const used = [...code.matchAll(/\buse ([^;]+);/g)].flatMap(([, tree]) => flatten(tree))
    const named = [...code.matchAll(/crate::\w+(?:::\w+)*/g)].map(([found]) => found)
    const found = [...used, ...named].map((text) => {
      const segments = text.split(' as ')[0].split('::')
      if (segments[0] === 'crate') {
        return find(segments.slice(1))
      }
      return segments[0] === 'super' ? find([...own.slice(0, -1), ...segments.slice(1)]) : find([...own, ...segments])
    })
    return [name, [...new Set(found)].filter((other) => other && other !== name)]
  }))
}

// `a::{b, c::d}` as a list of paths.
function flatten (tree) {
  const open = tree.indexOf('{')
  if (open === -1) {
    return [tree.replace(/\s+/g, ' ').trim()]
  }
  const parts = []
  let [depth, part] = [0, '']
  for (const character of tree.slice(open + 1, tree.lastIndexOf('}'))) {
    depth += character === '{' ? 1 : character === '}' ? -1 : 0
    if (character === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else {
      part += character
    }
  }
  return [...parts, part].filter((part) => part.trim()).flatMap((part) => flatten(tree.slice(0, open).trim() + part.trim()))
}

// Sets of modules that reach each other, each sorted.
function circles (arrows) {
  const reach = (from) => {
    const seen = new Set()
    const left = [...arrows.get(from)]
    while (left.length) {
      const next = left.pop()
      if (!seen.has(next)) {
        seen.add(next)
        left.push(...arrows.get(next) || [])
      }
    }
    return seen
  }
  const reached = new Map([...arrows.keys()].map((name) => [name, reach(name)]))
  const found = [...arrows.keys()].filter((name) => reached.get(name).has(name))
    .map((name) => [...reached.get(name)].filter((other) => reached.get(other).has(name)).sort())
  return [...new Map(found.map((circle) => [circle.join(), circle])).values()]
}

function nameOf (file) {
  return path.relative(root, file).replace(/(\/mod)?\.rs$/, '').split(path.sep).join('::')
}

function list (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const found = path.join(folder, entry.name)
    if (entry.isDirectory()) {
      return list(found)
    }
    return entry.name.endsWith('.rs') && !/tests\.rs$/.test(entry.name) && entry.name !== 'lib.rs' ? [found] : []
  })
}
