// `npm run start:cluster`: three Dashboards behind one port, on one PostgreSQL database that two standbys follow, all on this
// machine, until Ctrl-C.
const { fork } = require('child_process')
const { once } = require('events')
const net = require('net')
const path = require('path')
const { prepare, readAddress, requireFree, stopPreparing } = require('../prepare.js')
const { Servers } = require('./servers.js')

const limitMs = 60000
const nodeCount = 3

const nodes = []
let servers, stopping

async function main () {
  const { host, port } = readAddress()
  for (let i = 0; i <= nodeCount; i++) {
    await requireFree(host, port + i)
  }
  await prepare()
  console.log('Starting PostgreSQL, a primary and two standbys ...')
  const folder = path.resolve(process.env.CLUSTER_PATH || path.join(__dirname, 'data'))
  servers = await Servers.start(folder)
  const ports = Array.from({ length: nodeCount }, (_, i) => port + 1 + i)
  // One after the other: the first one prepares the database.
  for (const port of ports) {
    nodes.push(await startNode(host, port))
  }
  const balancer = balance(host, ports)
  await once(balancer.listen(port, host), 'listening')
  const address = `http://${host}:${port}`
  console.log(`
Three Dashboards run on ${ports.map((port) => `http://${host}:${port}`).join(', ')}, and ${address} leads to one after the other
Their data lies in ${folder}
To begin, register at ${address}/account/register: the first account becomes the owner and administrator
Then open ${address}/administrator
Ctrl-C stops all of it`)
}

async function startNode (host, port) {
  const child = fork(path.join(__dirname, 'node.js'), {
    env: { ...process.env, STORAGE: 'dashboard-sled', SLED_DATABASE_URL: servers.url, HOST: host, PORT: String(port) }
  })
  child.ended = once(child, 'exit')
  await Promise.race([once(child, 'message'), child.ended])
  if (child.exitCode !== null) {
    throw new Error(`the Dashboard on port ${port} could not start, see above`)
  }
  child.on('exit', () => stopping || console.error(`The Dashboard on port ${port} has ended`))
  return child
}

// Leads each connection to the next Dashboard; if that one has ended, to the one after it.
function balance (host, ports) {
  let next = 0
  const lead = (client, tries) => {
    const server = net.connect(ports[next++ % ports.length], host)
    server.once('connect', () => client.pipe(server).pipe(client))
    server.once('error', () => tries > 1 ? lead(client, tries - 1) : client.destroy())
    client.once('close', () => server.destroy())
  }
  return net.createServer((client) => {
    client.on('error', () => client.destroy())
    lead(client, ports.length)
  })
}

// Ctrl-C comes twice under npm, which passes on what the terminal has sent to all.
async function stop () {
  if (stopping) {
    return
  }
  stopping = true
  setTimeout(() => process.exit(1), limitMs)
  await stopAll()
  process.exit(0)
}

async function stopAll () {
  stopPreparing()
  nodes.forEach((node) => node.connected && node.disconnect())
  await Promise.all(nodes.map((node) => node.ended))
  await servers?.stop()
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
main().catch(async (error) => {
  console.error(error.detail || error)
  stopping = true
  await stopAll()
  process.exit(1)
})
