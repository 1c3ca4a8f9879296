// A port that nothing listens on at this moment, below those that the system hands out for connections: between
// the look and the use one of these may be taken. The host tries the next one for ever, so it gets a free one.
const { once } = require('events')
const net = require('net')

module.exports = { freePort }

async function freePort (from = 21400 + Math.floor(Math.random() * 9000)) {
  for (let port = from; ; port++) {
    const server = net.createServer().listen(port, 'localhost')
    try {
      await once(server, 'listening')
    } catch (error) {
      continue
    }
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
