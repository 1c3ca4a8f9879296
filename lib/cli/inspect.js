const { bytesText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { run } = require('./run.js')

module.exports = (program) => program.command('inspect')
  .description('shows one record, decrypted with ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV; possible secrets are redacted')
  .argument('<key>', 'the key, like dashboard/account/account_…')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--reveal', 'show everything')
  .action(run(inspect))

async function inspect (place, [key], options) {
  const report = await withOperations(place, options, (perform) => perform('inspect', { key, reveal: options.reveal }))
  const { bytes, form, value } = report
  const text = typeof value === 'string' ? [value] : JSON.stringify(value, null, 2).split('\n')
  return { report, text: [`${key}: ${bytesText(bytes)}, ${form}`, ...text] }
}
