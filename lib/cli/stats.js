const { Damage } = require('./damage.js')
const { run, showBytes, withStore } = require('./run.js')
const { bytesText } = require('./numbers.js')

module.exports = (program) => program.command('stats')
  .description('says what the store holds, by application and kind; a running dashboard tells its own numbers by Storage.stats()')
  .argument('[store]', 'the folder of the store, instead of --store')
  .action(run((folder, _, options) => withStore(folder, async (store) => {
    const end = showBytes(options)
    const usage = await store.usage().finally(end)
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
  })))

// Text to the left, numbers to the right.
function table (head, rows) {
  const lines = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...lines.map((line) => String(line[i]).length)))
  return lines.map((line) => line.map((cell, i) => i < 2 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i])).join('  '))
}
