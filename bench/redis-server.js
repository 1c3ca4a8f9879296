// A redis-server of the benchmark's own, on a free port of this machine alone.
const { spawn, spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const net = require('net')
const { freePort } = require('../__test__/contract/free-port.js')

const tries = 100

class RedisServer {
  static version () {
    const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
    return stdout ? /v=([\d.]+)/.exec(stdout)[1] : undefined
  }

  static async start (folder, settings) {
    const server = new RedisServer()
    server.port = await freePort()
    const args = ['--port', server.port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...settings]
    server.child = spawn('redis-server', args.map(String), { stdio: 'ignore' })
    server.ended = once(server.child, 'exit')
    for (let i = 0; !await server.answers(); i++) {
      if (i === tries || server.child.exitCode !== null) {
        throw new Error('redis-server does not start')
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return server
  }

  // It refuses questions while it still reads its log.
  async answers () {
    const socket = net.connect(this.port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.write('PING\r\n')
      const [answer] = await once(socket, 'data')
      return String(answer).startsWith('+PONG')
    } catch (error) {
      return false
    } finally {
      socket.destroy()
    }
  }

  // Processor time of all its threads so far, in microseconds: Linux alone tells it.
  processor () {
    const folder = `/proc/${this.child.pid}/task`
    try {
      return fs.readdirSync(folder).reduce((sum, thread) =>
        sum + Number(fs.readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000, 0)
    } catch (error) {
      return NaN
    }
  }

  async kill () {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

module.exports = { RedisServer }
