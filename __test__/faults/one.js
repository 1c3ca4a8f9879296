// Causes the fault of one file in a process of its own, and sends its rows to run.js.
const path = require('path')

// run.js is gone: what is mounted and stopped here must not stay.
process.on('disconnect', () => process.exit(1))

async function main () {
  const [file] = process.argv.slice(2)
  const { run } = require(path.join(__dirname, file))
  const rows = await run({ long: process.env.FAULTS === 'long' }).catch((error) => {
    console.error(error)
    return [{ fault: `${file}: ${error.message}`, tried: 0, lost: 1 }]
  })
  process.send(rows, () => process.exit())
}

main()
