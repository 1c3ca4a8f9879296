// A proxy in front of a server, which can lose answers and requests.
const { once } = require('events')
const net = require('net')

module.exports = { startProxy }

async function startProxy (port) {
  const pairs = new Set()
  const proxy = { loses: undefined, cuts: 0 }
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1')
    const pair = { client, upstream }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      socket.on('error', end)
      socket.on('close', end)
    }
    client.on('data', (data) => {
      if (proxy.loses === 'request' && isCommit(data)) {
        cut(end)
        return
      }
      if (proxy.loses === 'answer' && isCommit(data)) {
        // The server gets it, and nobody hears of it: the answer is on its way when the connection ends.
        pair.isDeaf = true
        upstream.write(data, () => setTimeout(() => cut(end), 3))
        return
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => pair.isDeaf || client.write(data))
  })
  const cut = (end) => {
    proxy.loses = undefined
    proxy.cuts++
    end()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.port = server.address().port
  proxy.stop = () => {
    pairs.forEach(({ client, upstream }) => client.destroy() && upstream.destroy())
    return new Promise((resolve) => server.close(resolve))
  }
  return proxy
}

// Whether a message to the server has the contents of an account.
function isCommit (data) {
  return data.includes('sessionKeyNumber')
}
