/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApi, page } = require('../docs/make-api.js')
const { documents, read } = require('./documents/read.js')

const root = path.join(__dirname, '..')

describe('documents', () => {
  it('docs/api.md is what npm run docs makes', async () => {
    assert.strictEqual(fs.readFileSync(page, 'utf8'), await makeApi(), 'run npm run docs, and commit docs/api.md')
  }).timeout(60000)

  it('every name that the package gives is in docs/api.md', () => {
    const text = read('docs/api.md')
    for (const name of Object.keys(require('../index.js'))) {
      assert(text.includes(`\n### \`${name}\`\n`), name)
    }
  })

  for (const file of documents) {
    it(`every link of ${file} leads somewhere`, () => {
      for (const [, target] of read(file).matchAll(/(?:\]\(|src=")([^)\s"]+)/g)) {
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

  // As GitHub makes them of headings.
  function anchors (file) {
    const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
    return headings.map((heading) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
  }
})
