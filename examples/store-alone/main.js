// The store without Dashboard: records by key, lists by path.
//
//     node examples/store-alone/main.js
//
// The store is in data/notes.sled, or in the folder that you name as an argument. Run it again, and it finds what it wrote.
// In a project of your own, run `npm install dashboard-sled` first.
const path = require('path')
const { open } = require('dashboard-sled')

async function main (folder = path.join('data', 'notes.sled')) {
  const store = await open({ path: folder })
  const { storage, lists } = store
  const id = `note_${await lists.count('notes') + 1}`

  // When both have resolved, both are on the disk; they share one sync.
  await Promise.all([
    storage.write(`note/${id}`, JSON.stringify({ id, written: new Date().toISOString() })),
    lists.add('notes', id)
  ])

  // Newest first, and all records of a page in one call.
  const newest = await lists.list('notes', 0, 3)
  const notes = await storage.readMany('note', newest)
  newest.forEach((id) => console.log(notes[id]))
  console.log(`${await lists.count('notes')} notes in ${store.path}`)
  await store.close()
}

main(process.argv[2]).catch((error) => {
  console.error(error.detail || error)
  process.exitCode = 1
})
