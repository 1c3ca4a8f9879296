// The store without Dashboard: records by key, lists by path.
//
//     node examples/store-alone/main.js
//
// It keeps its store in data/notes.sled, or in a folder that is named behind it. Run it again, and it finds what it
// has written. In a project of your own, `npm install dashboard-sled` comes first.
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
