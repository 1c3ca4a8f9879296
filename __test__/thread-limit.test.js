/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { makeFolder, runAsNobody } = require('./helper.js')

// The limit counts all threads of a user, therefore this user has no other processes.
const alone = { uid: 54321, gid: 54321 }

describe('thread limit', () => {
  it('store-no-thread for whichever thread the system refuses; the same process opens the store later', async function () {
    if (process.platform !== 'linux' || process.getuid() !== 0) {
      return this.skip()
    }
    const folder = makeFolder()
    fs.chmodSync(folder, 0o777)
    const { child, ended } = runAsNobody('few-threads.js', alone)
    await once(child, 'message')
    const limit = (soft) => execFileSync('prlimit', ['--pid', String(child.pid), `--nproc=${soft}:`], alone)
    const answers = []
    let answer
    for (let more = 0; !(answer && answer.done) && more < 40; more++) {
      limit(fs.readdirSync(`/proc/${child.pid}/task`).length + more)
      child.send(path.join(folder, 'store'));
      [answer] = await once(child, 'message')
      answers.push(answer)
    }
    assert.deepStrictEqual(answer, { done: true }, JSON.stringify(answers))
    const refused = answers.slice(0, -1)
    assert(refused.length > 1, JSON.stringify(answers))
    for (const { message, code, detail } of refused) {
      assert.deepStrictEqual([message, code], ['store-no-thread', 'ERR_STORE_NO_THREAD'], detail)
      assert(detail.includes('ulimit -u'), detail)
    }
    child.send('go')
    await ended
    fs.rmSync(folder, { recursive: true })
  }).timeout(60000)
})
