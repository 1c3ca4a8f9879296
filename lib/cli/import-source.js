// The opened source of an import, which is read once or twice. Each pass shows its progress, and collects the entries that are
// left out.
const { failure } = require('../errors.js')
const { withProgress } = require('./progress.js')

class ImportSource {
  // Entries that the last pass has left out, each with the reason.
  skipped = []
  #source
  #options
  #total
  #read = 0

  // Opens the source and counts its entries. It fails before anything is written if an entry is too large for a store.
  static async open (kind, argument, { beside, target }, options) {
    let counted = 0
    return withProgress(options, { value: () => counted, unit: 'records and items counted' }, async () => {
      const source = await kind.open(argument, { beside, target, counted: (number) => { counted = number } })
      try {
        const { total, tooLarge } = await source.survey()
        const opened = new ImportSource(source, options, total)
        tooLarge.forEach((entry) => opened.#refuseLarge(entry, tooLarge.length))
        return opened
      } catch (error) {
        await source.close()
        throw error
      }
    })
  }

  constructor (source, options, total) {
    this.#source = source
    this.#options = options
    this.#total = total
  }

  // Calls `work` with the entries.
  async pass (work) {
    this.skipped = []
    this.#read = 0
    return withProgress(this.#options, { value: () => this.#read, unit: 'records and items', total: this.#total }, () => work(this.#entries()))
  }

  async close () {
    await this.#source.close()
  }

  async * #entries () {
    for await (const entry of this.#source.entries()) {
      if (entry.tooLarge !== undefined) {
        this.#refuseLarge(entry)
        this.skipped.push({ skipped: entry.tooLarge, reason: entry.reason })
      } else if (entry.skipped !== undefined) {
        this.skipped.push(entry)
      } else {
        this.#read += entry.record === undefined ? entry.items.length : 1
        yield entry
      }
    }
  }

  #refuseLarge ({ tooLarge, reason }, number = 1) {
    if (!this.#options.skipTooLarge) {
      const others = number > 1 ? ` The source has ${number} entries that are too large.` : ''
      throw failure('source-too-large', 'ERR_SOURCE', `${tooLarge}: ${reason}, which is more than a store accepts.${others} Leave out such entries with --skip-too-large`)
    }
  }
}

module.exports = { ImportSource }
