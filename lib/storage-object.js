// Dashboard's StorageObject (src/storage-object.js) with atomic changes. Dashboard reads, changes and writes a record in
// JavaScript, so one of two simultaneous changes is lost. Here the store makes the change.
const { requireText } = require('./arguments.js')
const { attributionOf } = require('./attribution.js')
const { invalid } = require('./errors.js')
const { spinFor } = require('./spin.js')
const { hostSecret } = require('./host.js')

module.exports = { atomic }

// Returns the six methods. `storage` is Dashboard's Storage, which decrypts the records that are read.
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
          // Defined, because an assignment to `__proto__` would set the prototype.
          Object.defineProperty(object, key, { value: data[key], configurable: true, enumerable: true, writable: true })
        }
      }
      return object
    },
    getProperty: async (objectid, property) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      const data = await readObject(storage, objectid)
      // Inherited properties, such as `constructor`, do not count.
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

// Makes one change of a record. A value that JSON cannot hold, such as a function, is removed, because Dashboard leaves it out of
// the text.
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
  await spinFor(store.edit(objectid, `{${members.join()}}`, names, create, hostSecret(), attributionOf(objectid)))
}

// The error of the parser would quote the record.
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
