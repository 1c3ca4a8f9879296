/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runTool } = require('./helper.js')

describe('a path that cannot be a folder', () => {
  let folder, store, other, names
  beforeEach(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    other = path.join(folder, 'other')
    for (const path of [store, other]) {
      await (await addon.open({ path })).close()
    }
    const [file, link] = [path.join(folder, 'file'), path.join(folder, 'link')]
    fs.writeFileSync(file, '')
    fs.symlinkSync('nowhere', link)
    names = [
      [file, `${file} is not a folder; `],
      [path.join(file, 'store'), `${file} is not a folder; `],
      [link, `${link} is a symbolic link to nowhere, which does not exist; `],
      [path.join(link, 'store'), `${link} is a symbolic link to nowhere, which does not exist; `]
    ]
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('is named in the error of every call', async () => {
    const opened = await addon.open({ path: store })
    for (const [name, sentence] of names) {
      for (const call of [
        () => addon.open({ path: name }),
        () => opened.backup(name),
        () => addon.restore({ path: name, folder: other }),
        () => addon.restore({ path: path.join(folder, 'new'), folder: name })
      ]) {
        const { detail, code } = await rejection(call())
        assert(detail.startsWith(sentence) || code === 'ERR_STORE_MISSING', `${call}: ${detail}`)
        assert(!/os error/.test(detail), detail)
      }
    }
    await opened.close()
  }).timeout(60000)
  it('is named in the error of the tool', async () => {
    for (const [name, sentence] of names) {
      const { code, stderr } = await runTool(['verify', name])
      assert.deepStrictEqual([code, stderr], [4, `store-missing: ${sentence}name the folder of the store\n`])
    }
  }).timeout(60000)
  it('a warning is one line that no terminal obeys, and JSON with --json', async function () {
    const shared = path.join(folder, 'shared\u001b[2J')
    await (await addon.open({ path: shared })).close()
    fs.writeFileSync(path.join(shared, 'sled', 'conf'), 'damaged')
    const { code, stderr } = await runTool(['stats', shared])
    assert.strictEqual(code, 0)
    assert.match(stderr.split('\n')[0], /^warning: dashboard-sled: .*shared\\u001b\[2J.* \(DASHBOARD_SLED_REPAIRED\)$/)
    fs.writeFileSync(path.join(shared, 'sled', 'conf'), 'damaged')
    const json = await runTool(['stats', shared, '--json'])
    assert.strictEqual(JSON.parse(json.stderr).warning.code, 'DASHBOARD_SLED_REPAIRED')
  }).timeout(60000)
})
