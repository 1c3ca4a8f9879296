// A port that nothing listens on at this moment. The host tries the next one for ever, so it gets a free one.
const { once } = require('events')
const net = require('net')

module.exports = { freePort }

async function freePort () {
  const server = net.createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
