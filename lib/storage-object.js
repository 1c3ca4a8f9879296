// The host's StorageObject (src/storage-object.js), with changes that nothing can come between. The
// host reads, changes and writes a record in JavaScript, so that of two changes one is lost.
const { invalid, requireText } = require('./arguments.js')
const { attentively } = require('./spin.js')
const { iv, secret } = require('./host.js')

module.exports = { atomic }

// The six methods over the store and the host's Storage, which decrypts what is read.
function atomic (store, storage) {
  return {
    getProperties: async (objectid, array) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(array, 'invalid-array')
      const data = await readObject(storage, objectid)
      if (data === undefined) {
        return
      }
      const object = {}
      for (const key in data) {
        if (array.indexOf(key) !== -1) {
          // Not a prototype, where the name is `__proto__`.
          Object.defineProperty(object, key, { value: data[key], configurable: true, enumerable: true, writable: true })
        }
      }
      return object
    },
    getProperty: async (objectid, property) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      const data = await readObject(storage, objectid)
      // Not what every object inherits, like `constructor`.
      const isOwn = data !== undefined && data !== null && Object.prototype.hasOwnProperty.call(data, property)
      return isOwn && data[property] !== null ? data[property] : undefined
    },
    removeProperty: async (objectid, property) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      await edit(store, objectid, [], [property], false)
    },
    removeProperties: async (objectid, array) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(array, 'invalid-array')
      await edit(store, objectid, [], Array.from(array), false)
    },
    setProperty: async (objectid, property, value) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      if (value === null || value === undefined) {
        throw invalid('invalid-value')
      }
      await edit(store, objectid, [[property, value]], [], true)
    },
    setProperties: async (objectid, properties) => {
      requireLength(objectid, 'invalid-objectid')
      if (!properties || !Object.keys(properties).length) {
        throw invalid('invalid-properties')
      }
      const values = []
      const removed = []
      for (const property in properties) {
        const value = properties[property]
        if (value === undefined || value === null || value === '') {
          removed.push(property)
        } else {
          values.push([property, value])
        }
      }
      await edit(store, objectid, values, removed, true)
    }
  }
}

// One change of a record. What JSON cannot hold (a function, say) is left out of the text by the host, so it is
// removed.
async function edit (store, objectid, values, removed, create) {
  requireText(objectid, 'invalid-file')
  const members = []
  const names = removed.map((name) => JSON.stringify(String(name)))
  for (const [property, value] of values) {
    const name = JSON.stringify(String(property))
    const text = JSON.stringify(value)
    if (text === undefined) {
      names.push(name)
    } else {
      members.push(`${name}:${text}`)
    }
  }
  await attentively(store.edit(objectid, `{${members.join()}}`, names, create, secret(), iv()))
}

// The parser's own error would quote the record.
async function readObject (storage, objectid) {
  const data = await storage.read(objectid)
  try {
    return data && data.length ? JSON.parse(data) : undefined
  } catch (error) {
    throw invalid('invalid-object')
  }
}

function requireLength (value, slug) {
  if (!value || !value.length) {
    throw invalid(slug)
  }
}
