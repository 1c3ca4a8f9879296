const fs = require('fs')
const path = require('path')
const { pipeline } = require('stream/promises')
const { format } = require('../transfer/jsonl.js')
const { Damage } = require('./damage.js')
const { run, showProgress, withStore } = require('./run.js')

module.exports = (program) => program.command('export')
  .description('writes everything as lines of JSON: secrets included, so keep it as safe as the store')
  .option('--output <file>', 'where to; to the standard output without it')
  .action(run((folder, _, options, toStderr) => withStore(folder, async (store) => {
    const counts = {}
    const damage = new Damage()
    const entries = store.entries({ onDamage: (damaged) => damage.add(damaged) })
    const end = showProgress(options, () => counts.records + counts.items, 'records and items')
    try {
      if (options.output) {
        await writeFile(path.resolve(options.output), format(entries, counts))
      } else {
        toStderr()
        await pipeline(format(entries, counts), process.stdout)
      }
    } finally {
      end()
    }
    return {
      code: damage.code,
      report: { ...counts, ...damage.report },
      text: [`${counts.records} records and ${counts.lists} lists with ${counts.items} items were exported${options.output ? ` to ${options.output}` : ''}`, ...damage.text]
    }
  })))

// Under its name it is there whole, or not at all.
async function writeFile (file, lines) {
  const part = `${file}.part`
  try {
    await pipeline(lines, fs.createWriteStream(part, { mode: 0o600 }))
    const written = await fs.promises.open(part, 'r+')
    await written.sync()
    await written.close()
    await fs.promises.rename(part, file)
  } catch (error) {
    await fs.promises.rm(part, { force: true })
    throw error
  }
}
