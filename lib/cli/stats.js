const { Damage } = require('./damage.js')
const { bytesText, countText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { run } = require('./run.js')
const { table } = require('./table.js')

module.exports = (program) => program.command('stats')
  .description('counts the contents of the store, by application and kind')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .action(run(stats))

async function stats (place, _, options) {
  const report = await withOperations(place, options, (perform) => perform('stats', {}))
  const { records, lists, items, bytes, kinds, diskBytes, replacedBytes } = report
  const damage = new Damage(report)
  return {
    code: damage.code,
    report,
    text: table(['application', 'kind', 'records', 'size'], kinds.map(({ appid, kind, records, bytes }) => [appid || '-', kind || '-', records, bytesText(bytes)])),
    summary: [
      `${countText(records, 'record')} of ${bytesText(bytes)}, ${countText(lists, 'list')} with ${countText(items, 'item')}, ${bytesText(diskBytes)} on the disk`,
      ...(replacedBytes ? [`${bytesText(replacedBytes)} in stores that restores have replaced; npx dashboard-sled remove-replaced removes them`] : []),
      ...damage.text
    ]
  }
}
