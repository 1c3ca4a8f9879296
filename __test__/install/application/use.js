// Opens a store, writes, closes it, and reads it back from the disk, in a folder of its own.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')

// The release tries what was built and not yet published: then it says where that is.
const { Storage, StorageList } = require(process.argv[2] || 'dashboard-sled')

async function main () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-use-'))
  process.env.SLED_PATH = path.join(folder, 'store')
  try {
    const written = await open()
    await written.storage.write('dashboard/account/account_1', 'text')
    await written.storage.writeBinary('dashboard/picture', Buffer.alloc(100000, 7))
    await written.lists.addMany({ 'dashboard/accounts': 'account_1', 'dashboard/others': 'account_1' })
    await written.storage.close()
    const { storage, lists } = await open()
    assert.strictEqual(await storage.read('dashboard/account/account_1'), 'text')
    assert.deepStrictEqual(await storage.readBinary('dashboard/picture'), Buffer.alloc(100000, 7))
    assert.deepStrictEqual(await lists.listAll('dashboard/others'), ['account_1'])
    await storage.close()
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
  console.log(`wrote and read on Node ${process.version}`)
}

async function open () {
  const storage = await Storage.setup()
  return { storage, lists: await StorageList.setup(storage) }
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
