/* eslint-env mocha */
const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const http = require('http')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { makeFolder, until } = require('../helper.js')
const { programs } = require('./servers.js')

const root = path.join(__dirname, '..', '..')

describe('npm run start:cluster', () => {
  it('runs three Dashboards that share their data: registered on one, signed in on another, ended everywhere by a reset on the third', async () => {
    assert(programs)
    const port = await freePort()
    const folder = makeFolder()
    // The servers run as another user.
    fs.chmodSync(folder, 0o755)
    const env = { ...process.env, CLUSTER_PATH: path.join(folder, 'data'), PORT: String(port), BCRYPT_WORKLOAD_FACTOR: '4', ALLOW_PUBLIC_API: 'true' }
    const child = spawn(process.execPath, [path.join(root, 'examples', 'cluster', 'start.js')], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { output += text })
    }
    const ended = new Promise((resolve) => child.on('close', resolve))
    try {
      await until(() => {
        assert.strictEqual(child.exitCode, null, output)
        return output.includes('Ctrl-C stops')
      }, { seconds: 90 })
      const [first, second, third] = [1, 2, 3].map((number) => port + number)
      const form = 'username=a-username&password=a-password&confirm=a-password'
      await send(first, '/account/register', { form })
      const { headers } = await send(second, '/account/signin', { form })
      const cookie = headers['set-cookie'].map((text) => text.split(';')[0]).join('; ')
      const [sessionid] = /session_\w+/.exec(decodeURIComponent(cookie))
      const isSignedIn = async (at) => !(await send(at, '/home', { cookie })).body.includes('/account/signin')
      assert.deepStrictEqual(await Promise.all([first, second, third].map(isSignedIn)), [true, true, true])
      const session = JSON.parse((await send(third, `/api/administrator/session?sessionid=${sessionid}`, { cookie })).body)
      const { body } = await send(third, `/api/administrator/reset-session-key?accountid=${session.accountid}`, { cookie, method: 'PATCH' })
      assert.strictEqual(JSON.parse(body).object, 'account', body)
      assert.deepStrictEqual(await Promise.all([first, second, third, port].map(isSignedIn)), [false, false, false, false])
    } finally {
      child.kill('SIGTERM')
      await ended
      fs.rmSync(folder, { recursive: true })
    }
  }).timeout(150000)
})

function send (port, url, { method, cookie, form } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { ...(cookie ? { cookie } : {}), ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) }
    const request = http.request({ host: 'localhost', port, path: url, method: method || (form ? 'POST' : 'GET'), headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => { body += text })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    request.on('error', reject)
    request.end(form)
  })
}
