// Compiled, never run: the types say what the documents say.
import { Account, Audit, ErrorCode, Loaded, open, progress, recover, Report, ResetSessionKey, restore, Session, setup, Storage, StorageContainer, StorageList, Store, StoreError, watch } from '../../index.js'

async function main (): Promise<void> {
  const storage: StorageContainer = await Storage.setup()
  const storageList = await StorageList.setup(storage, 'ORGANIZATIONS')
  const text: string | undefined = await storage.read('file')
  const bytes: Buffer | undefined = await storage.readBinary('file')
  const many: { [id: string]: string } = await storage.readMany('prefix', ['a', 2])
  await storage.write('file', text ?? '')
  await storage.writeBinary('file', bytes ?? new Uint8Array(1))
  await storageList.addMany({ list: 1, other: true, third: 'item' })
  const items: string[] | undefined = await storageList.list('list', 0, 10)
  const count: number = await storageList.count('list')
  console.log(many.a, items?.length, count, await storageList.exists('list', 1))
  // @ts-expect-error: flush is there in testing alone
  await storage.flush()
  // @ts-expect-error: an object is no item
  await storageList.add('list', {})
  await setup()
  const session: Session = await Session.get({ appid: 'dashboard', query: { sessionid: 'session_1' } })
  const account: Account = await ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: session.accountid } })
  console.log(session.ended?.toFixed(), account.sessionKeyNumber + 1, (await Account.get({ appid: 'a', query: {}, cacheData: {} })).deleted)
  // @ts-expect-error: a request has a query
  await Session.get({ appid: 'dashboard' })
  const names: string | undefined = account.displayName
  // @ts-expect-error: the host has no such property
  console.log(names, account.sesionKeyNumber)
  // @ts-expect-error: the host has no such property
  console.log(session.acountid)
  // @ts-expect-error: there is no such option
  await open({ path: 'a', cachMB: 5 })
  const report: Report = await storage.backup('folder')
  const store: Store = await open({ path: 'a', cacheMB: 16, commitSeconds: 5 })
  console.log(report.problems, (await store.verify()).described[0], progress().toFixed(), store.path.length)
  for await (const entry of store.entries()) {
    const key: string = entry.record !== undefined ? entry.record + entry.contents.toString('hex') : entry.list + entry.items[0]
    console.log(key, await store.storage.exists(key), await store.lists.count(key))
  }
  const loaded: Loaded = await store.load([{ record: 'a', contents: new Uint8Array(1) }, { list: 'b', items: ['c'] }])
  await store.load(store.entries())
  const { kept, keptRecords, ended }: Loaded = await store.load([], { overwrite: true, dryRun: false })
  console.log(kept + 1, keptRecords.join(), ended?.accounts)
  // @ts-expect-error
  await store.load([], { overwrit: true })
  const { removed }: { removed: number } = await store.purge({ olderThan: '30d', dryRun: true })
  const p99: number | null = (await storage.stats()).commits.milliseconds.p99
  console.log(removed, p99?.toFixed(), (await store.stats()).cache.hitRate, (await store.usage()).kinds[0].appid)
  console.log((await store.repair()).left.problems, (await store.repair()).repaired[0], (await store.compact()).after)
  // @ts-expect-error: an age has to be said
  await store.purge()
  // @ts-expect-error: text has to be bytes
  await store.load([{ record: 'a', contents: 'text' }])
  // @ts-expect-error: there is no store without a folder
  await open()
  console.log(loaded.bytes, (await store.backup('b')).items, (await restore({ path: 'a', folder: 'b' })).ended?.accounts)
  // @ts-expect-error: that every session ends has to be said
  await recover({ path: 'a' })
  const { missing, cursor }: { missing: number, cursor?: string } = await Audit.list({ appid: 'dashboard', query: {} })
  let position: string | number = missing
  for await (const event of watch({ after: position })) {
    position = event.position
  }
  watch({ after: '17-0f3a9c21b8de4c57', signal: new AbortController().signal })
  console.log(cursor)
  // @ts-expect-error: a signal is not a number
  watch({ signal: 1 })
  await storage.close()
}

main().catch((error: StoreError) => {
  const code: ErrorCode = error.code
  // @ts-expect-error: there is no such code
  console.error(code === 'ERR_STORE_LOKED', error.detail, error.cause?.code)
})
