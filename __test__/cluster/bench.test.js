/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeFolder, runNode } = require('../helper.js')

const bench = path.join(__dirname, '..', '..', 'bench')

// The benchmarks of docs/cluster.md run. Their results are not tested.
describe('benchmarks of the engine for PostgreSQL', function () {
  this.timeout(180000)
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('npm run bench:cluster', async () => {
    const said = await run('cluster.js', { COUNT: '64', MILLISECONDS: '50', OUTPUT: folder })
    for (const title of ['dashboard-sled, from memory', 'dashboard-sled, three nodes', 'Dashboard\'s engine for PostgreSQL', 'Redis, appendfsync always', 'a bare UPDATE by pg']) {
      assert.match(said, new RegExp(`│ ${title} +│ '[0-9.]+ ms' │`.replace(/ │/g, ' *│')))
    }
    assert(fs.readFileSync(path.join(folder, 'cluster.svg'), 'utf8').startsWith('<svg'))
  })
  it('npm run bench:cluster-lists', async () => {
    const said = await run('cluster-lists.js', { ITEMS: '5000' })
    assert.match(said, /│ 'a page at 3,500, with a directory' +│ '[0-9.]+ ms' │ '[0-9.]+ ms' │/)
  })

  async function run (script, env) {
    const { code, stdout, stderr } = await runNode(path.join(bench, script), { env }).ended
    assert.strictEqual(code, 0, stderr)
    return stdout
  }
})
