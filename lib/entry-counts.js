// Number of records, lists and items in a stream of entries, and of the bytes of the records.
module.exports = class EntryCounts {
  records = 0
  lists = 0
  items = 0
  bytes = 0
  #list

  // Returns the counts of all entries of a stream.
  static async of (entries) {
    const counts = new EntryCounts()
    for await (const entry of entries) {
      counts.add(entry)
    }
    return counts
  }

  add ({ record, contents, list, items }) {
    if (record !== undefined) {
      this.records++
      this.bytes += contents.length
      return
    }
    // The parts of a list follow each other.
    this.lists += list === this.#list ? 0 : 1
    this.items += items.length
    this.#list = list
  }
}
