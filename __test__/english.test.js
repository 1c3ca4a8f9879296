/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
// Beginnings of sentences that do not name a subject.
const beginnings = ['What', 'So many', 'Whoever']
// Say "is not …", "has no …", "is stored at …".
const phrases = ['is none', 'stands in', 'stands at']
// The same in JavaScript, in comments and in the texts that people read.
const beginningsOfScripts = [...beginnings, 'How many', 'Who']
const phrasesOfScripts = [...phrases, 'makes no sense', 'are none', 'who asks']
const isNo = /(?<!\b[Tt]here )\bis no (?!longer\b)\w/

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
  describe('JavaScript', () => {
    const files = ['index.js', ...['bin', 'lib'].flatMap(listScripts)]
    const commentsOfScripts = files.flatMap(readComments)
    const texts = files.flatMap(readTexts)

    it('has comments and texts', () => assert(commentsOfScripts.length > 300 && texts.length > 300, `${commentsOfScripts.length} and ${texts.length}`))
    for (const beginning of beginningsOfScripts) {
      it(`has no comment and no text that begins with "${beginning}"`, () => {
        refuse(commentsOfScripts, new RegExp(`^${beginning}\\b`))
        refuse(texts, new RegExp(`^${beginning}\\b`, 'i'))
      })
    }
    for (const phrase of phrasesOfScripts) {
      it(`does not say "${phrase}"`, () => refuse([...commentsOfScripts, ...texts], new RegExp(`\\b${phrase}\\b`)))
    }
    it('says "is not a", not "is no"', () => refuse([...commentsOfScripts, ...texts], isNo))
  })

  describe('JavaScript of tests, benchmarks and examples', () => {
    const comments = ['__test__', 'bench', 'examples'].flatMap(listScripts).flatMap(readComments)

    for (const beginning of beginningsOfScripts) {
      it(`has no comment that begins with "${beginning}"`, () => {
        assert(comments.length > 500, `${comments.length}`)
        refuse(comments, new RegExp(`^${beginning}\\b`))
      })
    }
    for (const phrase of phrasesOfScripts) {
      it(`does not say "${phrase}" in a comment`, () => refuse(comments, new RegExp(`\\b${phrase}\\b`)))
    }
    it('says "is not a", not "is no"', () => refuse(comments, isNo))
  })

  function listScripts (folder) {
    return fs.readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter(({ name }) => name !== 'node_modules')
      .flatMap((entry) => entry.isDirectory() ? listScripts(path.join(folder, entry.name)) : [path.join(folder, entry.name)])
      .filter((file) => file.endsWith('.js'))
  }

  function refuse (comments, wrong) {
    const found = comments.filter(({ text }) => wrong.test(text))
    assert.deepStrictEqual(found.map(({ place, text }) => `${place} ${text}`), [])
  }

  // The strings in a file with at least two words.
  function readTexts (file) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
    return lines.flatMap((line, index) => /^\s*\/\//.test(line)
      ? []
      : [...line.matchAll(/'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].map(([, plain, template]) => ({ place: `${file}:${index + 1}`, text: plain ?? template })))
      .filter(({ text }) => text.includes(' '))
  }

  function readComments (file) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
    return lines.flatMap((line, index) => {
      const [, marker, text] = /^\s*(\/\/[/!]?) ?(.*)$/.exec(line) ?? []
      return marker ? [{ place: `${file}:${index + 1}`, marker, text }] : []
    })
  }
})
