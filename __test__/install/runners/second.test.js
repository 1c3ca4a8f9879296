/* eslint-env jest */
// Run by vitest and by jest, whose workers may be threads and load the addon for each file anew.
const fs = require('fs')
const os = require('os')
const path = require('path')
const addon = require(process.env.ADDON)

test('a store is used, and its errors are errors', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-runner-'))
  const store = await addon.open({ path: path.join(folder, 'store') })
  await Promise.all(Array.from({ length: 200 }, (_, i) => store.storage.write(`record ${i}`, 'contents')))
  expect(await store.storage.read('record 7')).toBe('contents')
  const error = await addon.open({ path: path.join(folder, 'store', 'guard') }).catch((error) => error)
  expect(error.code).toBe('ERR_STORE_IO')
  expect(error instanceof Error).toBe(true)
  await store.close()
  fs.rmSync(folder, { recursive: true })
})
