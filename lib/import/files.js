// The folder of Dashboard's own engine (its src/storage-fs.js and src/storage-list-fs.js): a record is a file whose
// path is the key; an item is an empty file in list/<path>, and the time of its last change is its place.
const fs = require('fs')
const { join } = require('path')
const { hasFiles, LOCK, SLED } = require('../store-files.js')
const { asRecord, asText, bySize, ITEMS_IN_PART, oversize, sourceError } = require('./source.js')

// Number of files that are read together.
const FILES_AT_ONCE = 64
// Linux shows here which file an open handle has.
const handles = '/proc/self/fd'
const byHandle = fs.existsSync(handles) && process.platform === 'linux'

module.exports = { open }

async function open (folder, { counted = () => {} } = {}) {
  await requireDashboard(folder)
  const root = { path: '', file: await fs.promises.realpath(folder, 'buffer') }
  return {
    entries: async function * () {
      yield * records(root)
      yield * lists({ path: '', file: slash(root.file, 'list') })
    },
    survey: () => survey(root, counted),
    close: async () => {}
  }
}

// The engine makes the folder `list` at its first start; a folder without it is refused, because it is not a dashboard's.
async function requireDashboard (folder) {
  try {
    const opened = await fs.promises.opendir(folder)
    await opened.close()
  } catch (error) {
    throw sourceError('source-unreachable', `${folder} cannot be read (${error.code})`)
  }
  const list = await fs.promises.lstat(join(folder, 'list')).catch(() => undefined)
  if (!list || !list.isDirectory()) {
    throw sourceError('source-not-dashboard', `${folder} has no folder named list, so it is not the data of a dashboard: give the folder that STORAGE_PATH named, or data in the application`)
  }
}

async function * records (root) {
  for await (const page of pages(walk(root, (path) => path === 'list'))) {
    const files = page.filter((found) => !found.skipped)
    yield * page.filter((found) => found.skipped)
    const sized = await measured(files)
    yield * sized.map(({ large }) => large).filter((large) => large)
    for (const group of bySize(sized.filter(({ large }) => !large))) {
      const contents = await Promise.all(group.map(({ file }) => readRegular(file)))
      yield * group.map(({ path }, i) => asRecord(path, contents[i]))
    }
  }
}

async function measured (files) {
  const stats = await Promise.all(files.map(({ file }) => readExisting(file, fs.promises.lstat)))
  return files.map((found, i) => ({ ...found, size: stats[i].size, large: oversize(found.path, { contentsBytes: stats[i].size }) }))
}

async function survey (root, counted) {
  let total = 0
  const tooLarge = []
  for await (const page of pages(walk(root, () => false))) {
    const files = page.filter((found) => !found.skipped)
    total += files.length
    counted(total)
    const inLists = (path) => path.startsWith('list/')
    tooLarge.push(...(await measured(files.filter(({ path }) => !inLists(path)))).map(({ large }) => large).filter((large) => large))
  }
  return { total: total - tooLarge.length, tooLarge }
}

// A folder of a list may contain the folders of other lists. The items of one list are in memory together, as names and times.
async function * lists (folder) {
  const items = []
  for await (const found of children(folder)) {
    if (found.skipped) {
      yield { ...found, skipped: `list/${found.skipped}` }
    } else if (found.isFolder) {
      yield * lists(found)
    } else if (!folder.path) {
      yield { skipped: `list/${found.name}`, reason: 'a file outside of a list' }
    } else {
      items.push(found)
    }
  }
  yield * inOrder(folder.path, items)
}

async function * inOrder (list, items) {
  const kept = []
  for (let first = 0; first < items.length; first += FILES_AT_ONCE) {
    const some = items.slice(first, first + FILES_AT_ONCE)
    const stats = await Promise.all(some.map(({ file }) => readExisting(file, fs.promises.lstat)))
    for (const [i, { name }] of some.entries()) {
      if (stats[i].size) {
        yield { skipped: `list/${list}/${name}`, reason: 'a file with contents among the items of a list' }
      } else {
        kept.push({ name, time: stats[i].mtime.getTime() })
      }
    }
  }
  kept.sort(oldestFirst)
  for (let first = 0; first < kept.length; first += ITEMS_IN_PART) {
    yield { list, items: kept.slice(first, first + ITEMS_IN_PART).map(({ name }) => name) }
  }
}

// Dashboard shows the reverse order. Of items with the same millisecond it shows the greater name first, because it sorts names
// that Node returns in ascending order.
function oldestFirst (one, other) {
  return one.time - other.time || Buffer.compare(Buffer.from(one.name), Buffer.from(other.name))
}

// Returns all files below a folder, one at a time.
async function * walk (folder, isLeftOut) {
  for await (const found of children(folder)) {
    if (!found.isFolder) {
      yield found
    } else if (!isLeftOut(found.path)) {
      yield * walk(found, isLeftOut)
    }
  }
}

// Returns the contents of a folder: { name, path, file, isFolder }, or { skipped, reason }. Names are bytes on the disk.
async function * children (folder) {
  if (folder.path && await hasFiles(folder.file, [LOCK, SLED])) {
    // By default a store lies in the folder of the files.
    yield { skipped: folder.path, reason: 'a store of dashboard-sled' }
    return
  }
  const opened = await openFolder(folder.file)
  try {
    for (let entry; (entry = await readExisting(folder.file, () => opened.read()));) {
      yield describe(folder, entry)
    }
  } finally {
    await opened.close()
  }
}

function describe (folder, entry) {
  const name = String(entry.name)
  const path = folder.path ? `${folder.path}/${name}` : name
  if (!asText(entry.name)) {
    return { skipped: path, reason: 'a name that is not UTF-8' }
  }
  if (entry.isSymbolicLink()) {
    return { skipped: path, reason: 'a symbolic link' }
  }
  if (!entry.isDirectory() && !entry.isFile()) {
    return { skipped: path, reason: 'neither a file nor a folder' }
  }
  return { name, path, file: slash(folder.file, entry.name), isFolder: entry.isDirectory() }
}

// Calls `read` for a file that existed a moment ago, and explains its errors.
async function readExisting (file, read) {
  try {
    return await read(file)
  } catch (error) {
    if (error.message === 'source-changed') {
      throw error
    }
    if (error.code === 'ENOENT') {
      throw sourceError('source-changed', `${file} vanished while the folder was read: stop the dashboard, then import again`)
    }
    if (['ELOOP', 'ENOTDIR', 'EMLINK'].includes(error.code)) {
      throw swapped(file)
    }
    throw sourceError('source-interrupted', `${file} cannot be read (${error.code})`)
  }
}

function readRegular (file) {
  return readExisting(file, async () => {
    const handle = await openUnlinked(file, 0)
    try {
      if (!(await handle.stat()).isFile()) {
        throw swapped(file)
      }
      return await handle.readFile()
    } finally {
      await handle.close()
    }
  })
}

function openFolder (file) {
  const options = { encoding: 'buffer', bufferSize: FILES_AT_ONCE }
  return readExisting(file, async () => {
    if (!byHandle) {
      return fs.promises.opendir(file, options)
    }
    const handle = await openUnlinked(file, fs.constants.O_DIRECTORY)
    try {
      return await fs.promises.opendir(`${handles}/${handle.fd}`, options)
    } finally {
      await handle.close()
    }
  })
}

// Opens a file that was found, and then checks which file was opened. A user who may write to the folder can put a link there, or
// in place of a folder above, between the two steps; a command of root must not import files from outside.
async function openUnlinked (file, flags) {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants
  const handle = await fs.promises.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | flags)
  const opened = byHandle ? await fs.promises.readlink(`${handles}/${handle.fd}`, 'buffer') : file
  if (!opened.equals(file)) {
    await handle.close()
    throw swapped(file)
  }
  return handle
}

function swapped (file) {
  return sourceError('source-changed', `${file} became a link, or something else, while the folder was read: stop the dashboard, find out who did that, then import again`)
}

async function * pages (things) {
  let page = []
  for await (const thing of things) {
    page.push(thing)
    if (page.length === FILES_AT_ONCE) {
      yield page
      page = []
    }
  }
  if (page.length) {
    yield page
  }
}

function slash (folder, name) {
  return Buffer.concat([folder, Buffer.from('/'), Buffer.from(name)])
}
