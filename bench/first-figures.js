// A small benchmark: what the store costs through the host's own wrapper. `node bench/first-figures.js`
const fs = require('fs')
const os = require('os')
const path = require('path')

const application = path.join(__dirname, '..', '__test__', 'contract', 'application')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-bench-'))
global.applicationPath = application
process.env.STORAGE = 'dashboard-sled'
process.env.SLED_PATH = path.join(folder, 'store')
const Storage = require(path.join(application, 'node_modules', '@userdashboard', 'dashboard', 'src', 'storage.js'))

const records = 20000
const contents = (i) => JSON.stringify({ object: 'session', sessionid: `session_${i}`, filler: 'x'.repeat(200) })

async function main () {
  const storage = await Storage.setup()
  await inFlight(64, records, (i) => storage.write(`dashboard/session/session_${i}`, contents(i)))
  const reads = 200000
  for (let round = 0; round < 3; round++) {
    const read = await timed(reads, async () => {
      for (let i = 0; i < reads; i++) {
        await storage.read(`dashboard/session/session_${i * 7919 % records}`)
      }
    })
    console.log(`hot read, one at a time: ${(1e6 / read).toFixed(2)} µs`)
    const writes = 100000
    const write = await timed(writes, () => inFlight(64, writes, (i) => storage.write(`dashboard/session/session_${i * 7919 % records}`, contents(i))))
    console.log(`durable write, 64 in flight: ${Math.round(write).toLocaleString('en')} a second`)
    const alone = 1000
    const one = await timed(alone, async () => {
      for (let i = 0; i < alone; i++) {
        await storage.write(`dashboard/session/session_${i}`, contents(i + round + 1))
      }
    })
    console.log(`durable write, one at a time: ${(1e6 / one).toFixed(0)} µs`)
  }
  await storage.close()
  fs.rmSync(folder, { recursive: true })
}

async function timed (count, work) {
  const start = process.hrtime.bigint()
  await work()
  return count / (Number(process.hrtime.bigint() - start) / 1e9)
}

async function inFlight (width, count, call) {
  let next = 0
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) {
      await call(next++)
    }
  }))
}

// The clock of the host would keep the process alive.
main().then(() => process.exit())
