// Damages a store that nobody has open.
const fs = require('fs')
const path = require('path')

const [RECORD, LIST, ENTRY] = [1, 3, 4]

module.exports = { changeGuard, damage }

// Applies `change` to both slots of a rollback guard, and makes their checksums fit.
function changeGuard (file, change) {
  const guard = fs.readFileSync(file)
  for (const at of [0, 4096]) {
    const slot = guard.subarray(at, at + 49)
    change(slot)
    slot.writeUInt32BE(crc32(slot.subarray(0, 45)), 45)
  }
  fs.writeFileSync(file, guard)
  return guard
}

// Damages single values by an entry of the journal that the next open gives to sled. Works once for each time that the store was
// open.
function damage (store, { records = [], heads = [], entries = [] }) {
  write(store, [
    ...records.map((name) => [RECORD, ...part(name)]),
    ...heads.map((list) => [LIST, ...part(list)]),
    ...entries.map(([list, sequence]) => [ENTRY, ...part(list), ...number(sequence)])
  ])
}

function number (sequence) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(sequence))
  return bytes
}

// The formats are drawn in src/store/key/mod.rs, and in rollback_guard.rs and journal of src/store/sled/folder.
function part (name) {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.byteLength(name))
  return [...length, ...Buffer.from(name)]
}

function write (store, keys) {
  const slots = [0, 4096].map((at) => fs.readFileSync(path.join(store, 'guard')).subarray(at, at + 49))
  const guard = slots.reduce((one, other) => turn(other) > turn(one) ? other : one)
  const value = Buffer.from('damaged')
  const changes = keys.map((key) => {
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32BE(key.length)
    lengths.writeUInt32BE(value.length, 4)
    return Buffer.concat([lengths, Buffer.from(key), value])
  })
  // sled stores the number of its last change.
  const sequence = guard.readBigUInt64BE(29) + 1n
  changes.push(applied(sequence))
  const rest = Buffer.concat(changes)
  const head = Buffer.alloc(12)
  head.writeUInt32BE(rest.length)
  head.writeBigUInt64BE(sequence, 4)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(Buffer.concat([guard.subarray(13, 29), head, rest])))
  const file = fs.openSync(path.join(store, 'sled', 'journal'), 'r+')
  fs.writeSync(file, Buffer.concat([checksum, head, rest]), 0, undefined, 0)
  fs.closeSync(file)
}

function turn (slot) {
  return slot.length === 49 ? slot.readBigUInt64BE(37) : -1n
}

// A valid value of the key `applied`: its checksum is over key, form and body.
function applied (sequence) {
  const key = Buffer.from([0, ...part('applied')])
  const body = Buffer.alloc(9)
  body.writeBigUInt64BE(sequence, 1)
  const value = Buffer.alloc(13)
  value.writeUInt32BE(crc32(Buffer.concat([key, body])))
  body.copy(value, 4)
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(key.length)
  lengths.writeUInt32BE(value.length, 4)
  return Buffer.concat([lengths, key, value])
}

function crc32 (bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
    }
  }
  return ~crc >>> 0
}
