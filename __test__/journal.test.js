/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, withStore } = require('./helper.js')
const { copyOpenStore } = require('./helpers/copy-open-store.js')

const BLOCK = 4096
const CHANGES = 12

// A store after a power cut: sled and the guard know two changes, and only the journal has those behind them.
describe('journal', () => {
  let folder, original, place, journal
  before(async () => {
    folder = makeFolder()
    original = path.join(folder, 'original')
    const store = path.join(folder, 'store')
    await withStore(store, async ({ storage }) => {
      await storage.write('x', 'value 0')
      await storage.write('y', 'value 0')
    })
    fs.cpSync(store, original, { recursive: true })
    await withStore(store, async ({ storage }) => {
      for (let i = 1; i <= CHANGES; i++) {
        await storage.write('x', `value ${i}`)
      }
      fs.copyFileSync(path.join(store, 'sled', 'journal'), path.join(original, 'sled', 'journal'))
    })
  })
  beforeEach(() => {
    place = path.join(folder, 'place')
    journal = path.join(place, 'sled', 'journal')
    fs.cpSync(original, place, { recursive: true })
  })
  afterEach(() => fs.rmSync(place, { recursive: true }))
  after(() => fs.rmSync(folder, { recursive: true }))

  it('gives the data the changes that it lacks', async () => {
    await withStore(place, async ({ storage }) => assert.strictEqual(await storage.read('x'), `value ${CHANGES}`))
  })
  describe('exceptions', () => {
    describe('store-rolled-back', () => {
      for (const number of [1, 2, CHANGES - 1]) {
        it(`change ${number} of ${CHANGES} is damaged, and whole ones lie behind it`, async () => {
          flip(number)
          for (let tries = 0; tries < 2; tries++) {
            assert.strictEqual((await rejection(addon.open({ path: place }))).code, 'ERR_STORE_ROLLED_BACK')
          }
        })
      }
      it('also where sled has already written a part of the changes', async () => {
        flip(2)
        await rejection(addon.open({ path: place }))
        flip(1)
        assert.strictEqual((await rejection(addon.open({ path: place }))).code, 'ERR_STORE_ROLLED_BACK')
      })
    })
  })
  it('what was cut off never comes back over what is acknowledged later', async () => {
    flip(6)
    await addon.recover({ path: place, invalidateSessions: true })
    // The journal is empty behind the change with which the store was accepted.
    assert.strictEqual(fs.readFileSync(journal).subarray(BLOCK).findIndex((byte) => byte !== 0), -1)
    const killed = path.join(folder, 'killed')
    await withStore(place, async ({ storage }) => {
      assert.strictEqual(await storage.read('x'), 'value 5')
      // As many blocks as are before what was cut off.
      await storage.write('large', 'x'.repeat(22000))
      await storage.write('x', 'later')
      copyOpenStore(place, killed)
    })
    await withStore(killed, async ({ storage }) => assert.strictEqual(await storage.read('x'), 'later'))
    fs.rmSync(killed, { recursive: true })
  })
  it('a damaged last change is left out, because it looks like one that was never acknowledged', async () => {
    flip(CHANGES)
    await withStore(place, async ({ storage }) => assert.strictEqual(await storage.read('x'), `value ${CHANGES - 1}`))
  })

  // One bit of the entry of change `number`, each of which has one block.
  function flip (number) {
    const bytes = fs.readFileSync(journal)
    bytes[BLOCK * (number - 1) + 20] ^= 1
    fs.writeFileSync(journal, bytes)
  }
})
