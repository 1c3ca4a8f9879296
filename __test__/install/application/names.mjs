// The package as an ES module sees it: every name, and the whole as the default.
import assert from 'assert'
import { createRequire } from 'module'
import addon, { Account, open, progress, recover, ResetSessionKey, restore, Session, setup, Storage, StorageList } from 'dashboard-sled'
import * as namespace from 'dashboard-sled'

const names = { Account, open, progress, recover, ResetSessionKey, restore, Session, setup, Storage, StorageList }
assert.strictEqual(addon, createRequire(import.meta.url)('dashboard-sled'))
for (const name of Object.keys(addon)) {
  assert.strictEqual(namespace[name], addon[name], `${name} cannot be imported by its name`)
  assert(!(name in names) || names[name] === addon[name], name)
}
assert.strictEqual(typeof Storage.setup, 'function')
console.log(`imported ${Object.keys(addon).join(', ')}`)
