// The host's StorageObject (src/storage-object.js), with changes that nothing can come between. The
// host reads, changes and writes a record in JavaScript, so that of two changes one is lost.
const { invalid } = require('./arguments.js')
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
          object[key] = data[key]
        }
      }
      return object
    },
    getProperty: async (objectid, property) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      const data = await readObject(storage, objectid)
      const value = data && data[property]
      return value === null ? undefined : value
    },
    removeProperty: async (objectid, property) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      await store.edit(objectid, '{}', [String(property)], false, secret(), iv())
    },
    removeProperties: async (objectid, array) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(array, 'invalid-array')
      await store.edit(objectid, '{}', Array.from(array, String), false, secret(), iv())
    },
    setProperty: async (objectid, property, value) => {
      requireLength(objectid, 'invalid-objectid')
      requireLength(property, 'invalid-property')
      if (value === null || value === undefined) {
        throw invalid('invalid-value')
      }
      await set(store, objectid, { [property]: value }, [])
    },
    setProperties: async (objectid, properties) => {
      requireLength(objectid, 'invalid-objectid')
      if (!properties || !Object.keys(properties).length) {
        throw invalid('invalid-properties')
      }
      const values = {}
      const removed = []
      for (const property in properties) {
        const value = properties[property]
        if (value === undefined || value === null || value === '') {
          removed.push(property)
        } else {
          values[property] = value
        }
      }
      await set(store, objectid, values, removed)
    }
  }
}

// What JSON cannot hold (a function, say) is left out of the text, so it is removed.
async function set (store, objectid, values, removed) {
  const text = JSON.stringify(values)
  const unwritten = Object.keys(values).filter((property) => JSON.stringify(values[property]) === undefined)
  await store.edit(objectid, text, removed.concat(unwritten), true, secret(), iv())
}

async function readObject (storage, objectid) {
  const data = await storage.read(objectid)
  return data && data.length ? JSON.parse(data) : undefined
}

function requireLength (value, slug) {
  if (!value || !value.length) {
    throw invalid(slug)
  }
}
