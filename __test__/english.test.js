/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
// Beginnings of sentences that do not name a subject.
const beginnings = ['What', 'So many', 'Whoever']
// Say "is not …", "has no …", "is stored at …".
const phrases = ['is none', 'stands in', 'stands at']

describe('english', () => {
  const comments = fs.readdirSync(path.join(root, 'src'), { recursive: true })
    .filter((file) => file.endsWith('.rs'))
    .flatMap((file) => readComments(path.join('src', file)))

  describe('documentation of the crate', () => {
    for (const beginning of beginnings) {
      it(`has no line that begins with "${beginning}"`, () => {
        const documentation = comments.filter(({ marker }) => marker !== '//')
        assert(documentation.length > 1000)
        refuse(documentation, new RegExp(`^${beginning}\\b`))
      })
    }
  })
  describe('comments of the store', () => {
    for (const phrase of phrases) {
      it(`do not say "${phrase}"`, () => {
        const ofStore = comments.filter(({ place }) => place.startsWith(path.join('src', 'store')))
        assert(ofStore.length > 1000)
        refuse(ofStore, new RegExp(`\\b${phrase}\\b`))
      })
    }
  })

  function refuse (comments, wrong) {
    const found = comments.filter(({ text }) => wrong.test(text))
    assert.deepStrictEqual(found.map(({ place, text }) => `${place} ${text}`), [])
  }

  function readComments (file) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
    return lines.flatMap((line, index) => {
      const [, marker, text] = /^\s*(\/\/[/!]?) ?(.*)$/.exec(line) ?? []
      return marker ? [{ place: `${file}:${index + 1}`, marker, text }] : []
    })
  }
})
