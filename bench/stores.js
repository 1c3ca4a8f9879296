// The stores that run side by side, each as the storage engine of a real Dashboard.
const fs = require('fs')
const path = require('path')

const peers = path.join(__dirname, 'peers')
// What a store acknowledges is on the disk (`durable`), or it is not. `settings` says how it is set up.
const stores = {
  sled: {
    title: 'dashboard-sled',
    durable: true,
    settings: 'SLED_CACHE_MB=64, the module is listed',
    version: () => require('../package.json').version,
    modules: ['dashboard-sled'],
    env: (folder) => ({ STORAGE: 'dashboard-sled', SLED_PATH: folder })
  },
  'lmdb-flushed': {
    title: 'lmdb, awaiting flushed',
    durable: true,
    settings: 'records as strings, overlappingSync, every change awaits `flushed`',
    version: () => versionOf('lmdb'),
    engine: 'lmdb.js',
    env: (folder) => ({ STORAGE: 'lmdb-flushed', BENCH_FOLDER: folder, BENCH_DURABLE: 'true' })
  },
  lmdb: {
    title: 'lmdb',
    durable: false,
    settings: 'records as strings, overlappingSync, changes await the commit alone',
    version: () => versionOf('lmdb'),
    engine: 'lmdb.js',
    env: (folder) => ({ STORAGE: 'lmdb', BENCH_FOLDER: folder })
  },
  files: {
    title: 'files (Dashboard\'s default)',
    durable: false,
    settings: 'never syncs; loaded by one writer, since more of them fail with EEXIST',
    version: () => require(path.join(__dirname, '..', '__test__', 'contract', 'application', 'node_modules', '@userdashboard', 'dashboard', 'package.json')).version,
    loaders: 1,
    env: (folder) => ({ STORAGE: '', STORAGE_PATH: folder })
  }
}

module.exports = { ours: 'sled', stores }

function versionOf (name) {
  return JSON.parse(fs.readFileSync(path.join(peers, 'node_modules', name, 'package.json'))).version
}
