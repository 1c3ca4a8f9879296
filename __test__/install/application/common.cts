// TypeScript that becomes a CommonJS module.
import addon = require('dashboard-sled')
import { Storage, type StorageContainer, type StoreError } from 'dashboard-sled'

async function open (): Promise<StorageContainer> {
  return Storage.setup()
}

const isSame: boolean = addon.Storage === Storage
// @ts-expect-error: the types are known, and not any
const wrong: number = addon.Storage
export { isSame, open, type StoreError, wrong }
console.log(`common: ${isSame} ${typeof open}`)
