// `npm run start:cluster`: three Dashboards behind one port, on a PostgreSQL primary with two standbys, all on loopback. The data is
// removed at the end. It needs the server of PostgreSQL, as in Debian's package, and a clone of the project.
const { fork } = require('child_process')
const { once } = require('events')
const net = require('net')
const { plain, prepare, readAddress, requireFree, stopPreparing } = require('./prepare.js')

const nodes = 3

let cluster, stopping
const children = []

async function main () {
  const { host, port } = readAddress()
  for (let number = 0; number <= nodes; number++) {
    await requireFree(host, port + number)
  }
  await prepare()
  const { Cluster, programs } = require('../__test__/cluster/servers.js')
  if (!programs) {
    throw plain('the server of PostgreSQL is missing: apt-get install postgresql')
  }
  cluster = new Cluster()
  await cluster.start()
  const ports = Array.from({ length: nodes }, (_, i) => port + 1 + i)
  for (const own of ports) {
    const env = { ...process.env, CLUSTER_NODE: String(own), SLED_DATABASE_URL: cluster.url(), HOST: host, PORT: String(own) }
    delete env.SLED_PATH
    const child = fork(__filename, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    children.push(child)
    // One after the other, because the first start of Dashboard takes long.
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (message !== 'ready') {
      throw plain('a Dashboard does not start, see above')
    }
  }
  balance(host, port, ports)
  console.log(`
Three Dashboards run on ${ports.map((own) => `http://${host}:${own}`).join(', ')}
and behind one port on http://${host}:${port}
PostgreSQL runs on ${cluster.servers.map(({ port }) => `127.0.0.1:${port}`).join(', ')}; the first is the primary
Register at http://${host}:${port}/account/register, and look at one account on several of them
Ctrl-C stops it and removes the data`)
}

// Gives each connection to the next Dashboard.
function balance (host, port, ports) {
  let turn = 0
  net.createServer((client) => {
    const server = net.connect(ports[turn++ % ports.length], host)
    client.pipe(server).pipe(client)
    for (const socket of [client, server]) {
      socket.on('error', () => client.destroy() && server.destroy())
    }
  }).listen(port, host)
}

async function runNode () {
  const { runDashboard } = require('./run-dashboard.js')
  const stopDashboard = await runDashboard({})
  process.on('disconnect', async () => {
    await stopDashboard()
    process.exit(0)
  })
  // Ctrl-C in a terminal reaches all processes; the first one ends the others.
  process.on('SIGINT', () => {})
  process.send('ready')
}

async function stop (code = 0) {
  if (stopping) {
    return
  }
  stopping = true
  stopPreparing()
  const running = children.filter((child) => child.exitCode === null && child.connected)
  await Promise.all(running.map((child) => once(child, 'exit', child.disconnect())))
  cluster && await cluster.stop()
  process.exit(code)
}

if (process.env.CLUSTER_NODE) {
  runNode()
} else {
  process.on('SIGINT', () => stop())
  process.on('SIGTERM', () => stop())
  main().catch((error) => {
    console.error(error.detail || error)
    stop(1)
  })
}
