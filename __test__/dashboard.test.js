/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { makeFolder, runNode } = require('./helper.js')

describe('dashboard', () => {
  for (const title of ['plain', 'encrypted']) {
    it(`keeps accounts and sessions over a restart, ${title}`, async () => {
      const folder = makeFolder()
      const env = {
        STORAGE: 'dashboard-sled',
        SLED_PATH: path.join(folder, 'store'),
        PORT: String(10000 + process.pid % 20000),
        GENERATE_SITEMAP_TXT: 'false',
        GENERATE_API_TXT: 'false',
        GENERATE_ENV_TXT: 'false'
      }
      if (title === 'encrypted') {
        env.ENCRYPTION_SECRET = '0123456789abcdef0123456789abcdef'
        env.ENCRYPTION_SECRET_IV = '0123456789abcdef'
      }
      const user = { username: 'a-username', password: 'a-password' }
      const { account } = await step('register', user)
      assert(account.accountid.startsWith('account_'))
      const first = await step('signin', user)
      const second = await step('signin', user)
      assert.strictEqual(first.session.accountid, account.accountid)
      assert.deepStrictEqual(second.sessions, [second.session.sessionid, first.session.sessionid])
      fs.rmSync(folder, { recursive: true })

      async function step (name, argument) {
        const { child, ended } = runNode('dashboard.js', { env, args: [name, JSON.stringify(argument)] })
        ended.then(({ code, stderr }) => code && child.emit('error', new Error(stderr)))
        const [result] = await once(child, 'message')
        assert.strictEqual((await ended).code, 0)
        return result
      }
    }).timeout(30000)
  }
})
