const { Damage } = require('./damage.js')
const { bytesText } = require('./numbers.js')
const { withBytes } = require('./progress.js')
const { run, withStore } = require('./run.js')

module.exports = (program) => program.command('stats')
  .description('counts the contents of the store, by application and kind; Storage.stats() reports on a running dashboard')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .action(run(stats))

async function stats (place, _, options) {
  return withStore(place, async (store) => {
    const usage = await withBytes(options, () => store.usage())
    const { diskBytes, replacedBytes } = await store.stats()
    const { records, lists, items, bytes, kinds } = usage
    const damage = new Damage(usage)
    return {
      code: damage.code,
      report: { ...usage, diskBytes, replacedBytes },
      text: table(['application', 'kind', 'records', 'size'], kinds.map(({ appid, kind, records, bytes }) => [appid || '-', kind || '-', records, bytesText(bytes)])),
      summary: [
        `${records} records of ${bytesText(bytes)}, ${lists} lists with ${items} items, ${bytesText(diskBytes)} on the disk`,
        ...(replacedBytes ? [`${bytesText(replacedBytes)} in stores that restores have replaced; npx dashboard-sled remove-replaced removes them`] : []),
        ...damage.text
      ]
    }
  })
}

// Text is aligned to the left, numbers to the right.
function table (head, rows) {
  const lines = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...lines.map((line) => String(line[i]).length)))
  return lines.map((line) => line.map((cell, i) => i < 2 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i])).join('  '))
}
