// The file of an export (lib/export-format.js). All of it is read and checked before anything of it is used.
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const EntryCounts = require('../entry-counts.js')
const { failure } = require('../errors.js')
const { HEAD } = require('../export-format.js')
const { nameBytes } = require('../limits.js')
const { oversize, sourceError } = require('./source.js')

module.exports = { open }

// `-` is the standard input, which is stored in the folder `beside` meanwhile.
async function open (source, { beside, counted = () => {} } = {}) {
  const name = source === '-' ? 'the standard input' : source
  const file = source === '-' ? await storeInput(beside) : await openFile(source)
  try {
    const counts = new EntryCounts()
    const tooLarge = []
    for await (const entry of read(file, name, counts, 'nothing was imported')) {
      if (entry.tooLarge !== undefined) {
        tooLarge.push(entry)
      }
      counted(counts.records + counts.items)
    }
    return {
      survey: async () => ({ total: counts.records + counts.items, tooLarge }),
      entries: () => read(file, name, new EntryCounts(), 'it was whole before, so it was changed meanwhile'),
      close: async () => file.close()
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile (source) {
  const unreachable = (reason) => sourceError('source-unreachable', `${source} cannot be read (${reason})`)
  const file = await fs.promises.open(source, 'r').catch((error) => { throw unreachable(error.code) })
  if ((await file.stat()).isDirectory()) {
    await file.close()
    throw unreachable('it is a folder')
  }
  return file
}

async function * read (file, name, counts, consequence) {
  const hash = crypto.createHash('sha256')
  let number = 0
  let isOver = false
  const damaged = (reason) => failure('export-damaged', 'ERR_EXPORT_DAMAGED', `line ${number} of ${name}: ${reason}; ${consequence}`)
  for await (const bytes of lines(file)) {
    number++
    if (isOver) {
      throw damaged('the export has ended before')
    }
    const line = parse(bytes, damaged)
    if (number === 1) {
      checkHead(line, damaged)
    } else if (line.end !== undefined) {
      isOver = true
      checkEnd(line, counts, hash.digest('hex'), damaged)
      continue
    } else {
      const entry = toEntry(line, damaged)
      counts.add(entry)
      yield * fitting(entry)
    }
    hash.update(bytes).update('\n')
  }
  if (!isOver) {
    number++
    throw damaged('it is missing: the export was cut short')
  }
}

// Returns the lines of a file as bytes. Only \n ends a line: other separators may occur within one.
async function * lines (file) {
  let rest = []
  for await (let chunk of file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1024 * 1024 })) {
    let end
    while ((end = chunk.indexOf(10)) !== -1) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)])
      rest = []
      chunk = chunk.subarray(end + 1)
    }
    rest.push(chunk)
  }
  const last = Buffer.concat(rest)
  if (last.length) {
    yield last
  }
}

function parse (bytes, damaged) {
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes)) {
    throw damaged('it is not UTF-8')
  }
  let line
  try {
    line = JSON.parse(text)
  } catch (error) {
    // The error of the parser would quote the line.
    throw damaged('it is not JSON')
  }
  if (!line || typeof line !== 'object' || Array.isArray(line)) {
    throw damaged('it is not an object')
  }
  return line
}

function checkHead ({ format, version }, damaged) {
  if (format !== HEAD.format) {
    throw damaged('it does not say that this is an export of dashboard-sled')
  }
  if (version !== HEAD.version) {
    throw damaged(`it has version ${Number(version)}, and this version of dashboard-sled reads ${HEAD.version}`)
  }
}

function checkEnd ({ end, sha256 }, counts, expected, damaged) {
  for (const kind of ['records', 'lists', 'items']) {
    if (!end || end[kind] !== counts[kind]) {
      throw damaged(`it says ${Number(end && end[kind])} ${kind}, and there are ${counts[kind]}`)
    }
  }
  if (sha256 !== expected) {
    throw damaged('its checksum does not match, so something in the lines before was changed')
  }
}

function toEntry (line, damaged) {
  const properties = Object.keys(line).join()
  switch (properties) {
    case 'record,text':
    case 'record,base64': {
      const encoding = 'text' in line ? 'utf8' : 'base64'
      const text = 'text' in line ? line.text : line.base64
      checkName(line.record, 'record', damaged)
      if (typeof text !== 'string') {
        throw damaged('its contents are not a string')
      }
      const contents = Buffer.from(text, encoding)
      if (contents.toString(encoding) !== text) {
        throw damaged(encoding === 'utf8' ? 'its text has an unpaired surrogate' : 'it is not base64')
      }
      return { record: line.record, contents }
    }
    case 'list,items':
      checkName(line.list, 'list', damaged)
      if (!Array.isArray(line.items)) {
        throw damaged('its items are not an array')
      }
      line.items.forEach((item) => checkName(item, 'item', damaged))
      return line
    default:
      throw damaged('it is neither a record nor a list')
  }
}

function checkName (name, what, damaged) {
  if (typeof name !== 'string' || !name) {
    throw damaged(`the name of the ${what} is empty or not a string`)
  }
}

// Returns the part of an entry that a store accepts, and { tooLarge, reason } for the rest.
function * fitting (entry) {
  const { record, contents, list, items } = entry
  const large = record === undefined ? oversize(list, {}) : oversize(record, { contentsBytes: contents.length })
  if (large || record !== undefined) {
    yield large || entry
    return
  }
  const sizes = items.map((item) => oversize(`list/${list}`, { nameBytes: nameBytes(item), what: 'an item of it' }))
  yield * sizes.filter((one) => one)
  yield sizes.some((one) => one) ? { list, items: items.filter((_, i) => !sizes[i]) } : entry
}

// Stores the input in a file without a name, which disappears with the process whatever happens.
async function storeInput (folder) {
  await fs.promises.mkdir(folder, { recursive: true })
  const name = path.join(folder, `dashboard-sled-input-${process.pid}`)
  const file = await fs.promises.open(name, 'wx+', 0o600)
  try {
    await fs.promises.unlink(name)
    for await (const chunk of process.stdin) {
      await file.write(chunk)
    }
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}
