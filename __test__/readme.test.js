/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { blocksOf } = require('./documents/read.js')
const { makeFolder } = require('./helper.js')

const root = path.join(__dirname, '..')

describe('README', () => {
  const [main, alone] = blocksOf('README.md', 'js')
  const [manifest] = blocksOf('README.md', 'json').map((text) => JSON.parse(text))
  const example = path.join(root, 'examples', 'dashboard')

  it('the application is the one of examples/dashboard', () => {
    const code = fs.readFileSync(path.join(example, 'main.js'), 'utf8').replace(/^\/\/.*\n/gm, '')
    assert.strictEqual(code.replace('module.exports = ', '').replace('.then(() => dashboard)', '').trim(), main.trim())
    const theirs = JSON.parse(fs.readFileSync(path.join(example, 'package.json'), 'utf8'))
    assert.deepStrictEqual(manifest.dashboard.modules, theirs.dashboard.modules)
    assert.strictEqual(manifest.dependencies['@userdashboard/dashboard'], theirs.dependencies['@userdashboard/dashboard'])
    assert.strictEqual(manifest.dependencies['dashboard-sled'], `^${require('../package.json').version}`)
  })
  it('the program with the store alone says what it wrote', () => {
    const folder = makeFolder()
    fs.mkdirSync(path.join(folder, 'node_modules'))
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'dashboard-sled'))
    fs.writeFileSync(path.join(folder, 'main.js'), alone)
    for (let run = 0; run < 2; run++) {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8' })
      assert.deepStrictEqual([status, stderr], [0, ''])
      assert.strictEqual(stdout, '{"text":"on the disk once this resolves"} [ \'1\' ]\n')
    }
    fs.rmSync(folder, { recursive: true })
  }).timeout(60000)
})
