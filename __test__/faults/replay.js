// Makes the states that a power cut could leave of recorded writes (fixtures/recorder.c). The model, deliberately simple:
// - what was written to a file before an fsync or fdatasync of it began is there once that has ended;
// - a later write is there, or not, or in some of its blocks of 512 bytes, whatever became of the writes before it;
// - names (created, renamed, removed) of a folder come back as they were after some later moment than the last fsync of
//   the folder, or of the file itself, in the order in which they were made, as in the journal of ext4;
// - sync_file_range counts for nothing.
const fs = require('fs')
const path = require('path')

const HEAD = 32
const BLOCK = 512
const kinds = ['', 'create', 'write', 'truncate', 'begin', 'end', 'rename', 'unlink', 'mkdir']

module.exports = { makeReplay, readLog }

function readLog (file) {
  const bytes = fs.readFileSync(file)
  const records = []
  for (let at = 0; at < bytes.length;) {
    const lengths = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)]
    const parts = lengths.map((length, i) => {
      const start = at + HEAD + lengths.slice(0, i).reduce((sum, length) => sum + length, 0)
      return bytes.subarray(start, start + length)
    })
    records.push({
      kind: kinds[bytes.readUInt32LE(at)],
      path: parts[0].toString(),
      path2: parts[1].toString(),
      data: parts[2],
      file: bytes.readBigUInt64LE(at + 16),
      number: Number(bytes.readBigInt64LE(at + 24))
    })
    at += HEAD + lengths[0] + lengths[1] + lengths[2]
  }
  return records
}

// Follows the records one by one; `build` makes a folder of the state. `counts(record)` says which syncs count.
function makeReplay (root, counts = () => true) {
  // Files by inode: { bytes, pending }, where bytes are durable and pending came after.
  const files = new Map()
  const begun = new Map()
  // Durable names, and the changes of names that are not; a name leads to a file, or to 'folder'.
  const names = new Map()
  let changes = []
  const current = new Map()

  const changeName = (change) => {
    changes.push(change)
    applyName(current, change)
  }
  const steps = {
    create: ({ path, file }) => {
      const made = { bytes: makeBytes(), pending: [] }
      files.set(file, made)
      changeName({ kind: 'set', path, leads: made })
    },
    mkdir: ({ path }) => changeName({ kind: 'set', path, leads: 'folder' }),
    rename: ({ path, path2 }) => changeName({ kind: 'rename', path, path2, leads: current.get(path) }),
    unlink: ({ path }) => changeName({ kind: 'remove', path, leads: current.get(path) }),
    write: ({ file, number, data }) => files.get(file).pending.push({ offset: number, data }),
    truncate: ({ file, number }) => files.get(file).pending.push({ length: number }),
    begin: ({ file, number }) => begun.set(number, { writes: files.has(file) ? files.get(file).pending.slice() : [], changes: changes.slice() }),
    end: (record) => {
      const { writes, changes: covered } = begun.get(record.number)
      begun.delete(record.number)
      if (!counts(record)) {
        return
      }
      const file = files.get(record.file)
      if (file) {
        writes.filter((write) => file.pending.includes(write)).forEach((write) => file.bytes.apply(write))
        file.pending = file.pending.filter((write) => !writes.includes(write))
      }
      if (record.path2 === 'fsync') {
        settleNames(record.path, file, covered)
      }
    }
  }

  // Everything in the folder up to the last change that this sync covers.
  const settleNames = (synced, file, covered) => {
    const folders = new Set()
    for (const change of covered) {
      const folder = path.dirname(change.path)
      if (folder === synced || (file ? change.leads === file : change.path === synced)) {
        folders.add(folder)
      }
    }
    const settled = covered.filter((change) => changes.includes(change) && folders.has(path.dirname(change.path)))
    settled.forEach((change) => applyName(names, change))
    changes = changes.filter((change) => !settled.includes(change))
  }

  return {
    step: (record) => steps[record.kind](record),
    build: (target, random) => build({ root, target, random, names, changes })
  }
}

function applyName (names, { kind, path, path2, leads }) {
  names.delete(path)
  if (kind !== 'remove') {
    names.set(kind === 'rename' ? path2 : path, leads)
  }
}

function build ({ root, target, random, names, changes }) {
  const left = new Map(names)
  // For each folder, the changes up to some moment.
  const folders = new Map()
  for (const change of changes) {
    const folder = path.dirname(change.path)
    folders.set(folder, [...(folders.get(folder) || []), change])
  }
  for (const made of folders.values()) {
    const kept = random.below(made.length + 1)
    made.slice(0, kept).forEach((change) => applyName(left, change))
  }
  fs.mkdirSync(target, { recursive: true })
  // Folders come before what is in them; what is in a lost folder is lost.
  for (const [name, leads] of [...left].sort(([a], [b]) => a < b ? -1 : 1)) {
    const place = path.join(target, path.relative(root, name))
    if (!fs.existsSync(path.dirname(place))) {
      continue
    }
    if (leads === 'folder') {
      fs.mkdirSync(place, { recursive: true })
    } else {
      fs.writeFileSync(place, cut(leads, random))
    }
  }
}

// A file after a power cut: how much of what is not durable got there differs from cut to cut.
function cut ({ bytes, pending }, random) {
  const likely = random()
  const left = bytes.copy()
  for (const write of pending) {
    if (random() >= likely) {
      continue
    }
    if (write.length !== undefined || random() < 0.5) {
      left.apply(write)
      continue
    }
    // Torn at the blocks of the file.
    for (let at = 0; at < write.data.length;) {
      const size = Math.min(BLOCK - (write.offset + at) % BLOCK, write.data.length - at)
      if (random() < 0.5) {
        left.apply({ offset: write.offset + at, data: write.data.subarray(at, at + size) })
      }
      at += size
    }
  }
  return left.content()
}

// Bytes that grow; what was never written is zero.
function makeBytes (buffer = Buffer.alloc(0), size = 0) {
  return {
    apply: ({ offset, data, length }) => {
      const end = length !== undefined ? length : offset + data.length
      if (end > buffer.length) {
        const larger = Buffer.alloc(end * 2)
        buffer.copy(larger, 0, 0, size)
        buffer = larger
      }
      if (length !== undefined) {
        buffer.fill(0, Math.min(length, size), Math.max(length, size))
        size = length
      } else {
        data.copy(buffer, offset)
        size = Math.max(size, end)
      }
    },
    copy: () => makeBytes(Buffer.from(buffer), size),
    content: () => buffer.subarray(0, size)
  }
}
