// `bare-write.js <file> <milliseconds>`: single writes of a block of 4096 bytes that are on the drive when they return, which
// is the least that a durable change costs. Prints the times in microseconds as JSON.
const fs = require('fs')
const { summarize } = require('./measure.js')

const blockBytes = 4096
const blocks = 512
const { O_CREAT, O_DIRECT, O_DSYNC, O_RDWR } = fs.constants
const [, , file, milliseconds] = process.argv

// The file has its blocks before.
fs.writeFileSync(file, Buffer.alloc(blocks * blockBytes, 1), { flush: true })
const descriptor = fs.openSync(file, O_CREAT | O_RDWR | O_DSYNC | O_DIRECT)
// This memory begins at a page, as direct writes need.
const block = Buffer.from(new WebAssembly.Memory({ initial: 1 }).buffer, 0, blockBytes)
const times = []
const begun = performance.now()
for (let i = 0, now = begun; now < begun + Number(milliseconds); i++) {
  block.writeUInt32LE(i)
  fs.writeSync(descriptor, block, 0, blockBytes, i % blocks * blockBytes)
  const end = performance.now()
  times.push((end - now) * 1000)
  now = end
}
console.log(JSON.stringify({ ...summarize(times), calls: times.length, perSecond: times.length * 1000 / (performance.now() - begun) }))
