// The stores that run side by side, each as the storage engine of a real Dashboard.
const { spawnSync } = require('child_process')
const fs = require('fs')
const { builtinModules } = require('module')
const path = require('path')
const { RedisServer } = require('./redis-server.js')

const host = path.join(__dirname, '..', '__test__', 'contract', 'application', 'node_modules', '@userdashboard', 'dashboard')
const peers = path.join(__dirname, 'peers', 'node_modules')

// `durable`: what is acknowledged is on the disk. `engine`: the file or package that gives Storage and StorageList.
// `loaders`: how many calls load it at a time, where not 64. `node`: the Node that it needs, if it is not this one.
const stores = {
  sled: {
    title: 'dashboard-sled',
    durable: true,
    settings: 'listed under `dashboard.modules`, default settings',
    version: () => versionIn(path.join(__dirname, '..')),
    engine: path.join(__dirname, '..'),
    modules: ['dashboard-sled'],
    env: (folder) => ({ STORAGE: 'dashboard-sled', SLED_PATH: folder })
  },
  'lmdb-flushed': {
    title: 'lmdb, awaiting `flushed`',
    durable: true,
    settings: 'values as strings; a change is acknowledged when `flushed` is kept',
    version: () => versionIn(path.join(peers, 'lmdb')),
    engine: path.join(__dirname, 'peers', 'lmdb.js'),
    env: (folder) => ({ STORAGE: 'lmdb-flushed', BENCH_FOLDER: folder, BENCH_DURABLE: 'true' })
  },
  lmdb: {
    title: 'lmdb',
    durable: false,
    settings: 'values as strings; a change is acknowledged when others see it',
    version: () => versionIn(path.join(peers, 'lmdb')),
    engine: path.join(__dirname, 'peers', 'lmdb.js'),
    env: (folder) => ({ STORAGE: 'lmdb', BENCH_FOLDER: folder })
  },
  sqlite: {
    title: 'better-sqlite3',
    durable: true,
    settings: 'journal_mode=WAL, synchronous=FULL, prepared statements',
    version: () => versionIn(path.join(peers, 'better-sqlite3')),
    engine: path.join(__dirname, 'peers', 'better-sqlite3.js'),
    env: (folder) => ({ STORAGE: 'sqlite', BENCH_FOLDER: folder })
  },
  'node-sqlite': {
    title: '`node:sqlite`',
    durable: true,
    settings: 'journal_mode=WAL, synchronous=FULL, prepared statements, in a process of this Node',
    version: () => `of Node ${spawnSync(nodeWithSqlite(), ['--version'], { encoding: 'utf8' }).stdout.trim()}`,
    node: nodeWithSqlite,
    engine: path.join(__dirname, 'peers', 'node-sqlite.js'),
    env: (folder) => ({ STORAGE: 'node-sqlite', BENCH_FOLDER: folder })
  },
  level: {
    title: 'classic-level',
    durable: true,
    settings: '`sync: true` for every change',
    version: () => versionIn(path.join(peers, 'classic-level')),
    engine: path.join(__dirname, 'peers', 'level.js'),
    env: (folder) => ({ STORAGE: 'level', BENCH_FOLDER: folder })
  },
  'redis-always': {
    title: 'Redis, appendfsync always',
    durable: true,
    settings: '@userdashboard/storage-redis, appendonly yes, appendfsync always, no snapshots',
    version: () => `${RedisServer.version()}, engine ${versionIn(path.join(peers, '@userdashboard', 'storage-redis'))}`,
    engine: path.join(peers, '@userdashboard', 'storage-redis'),
    redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
    env: () => ({ STORAGE: 'redis-always' })
  },
  redis: {
    title: 'Redis',
    durable: false,
    settings: '@userdashboard/storage-redis, in memory alone',
    version: () => `${RedisServer.version()}, engine ${versionIn(path.join(peers, '@userdashboard', 'storage-redis'))}`,
    engine: path.join(peers, '@userdashboard', 'storage-redis'),
    redis: ['--appendonly', 'no'],
    env: () => ({ STORAGE: 'redis' })
  },
  files: {
    title: 'files (Dashboard\'s default)',
    durable: false,
    settings: 'never syncs; loaded by one writer, since several fail with EEXIST',
    version: () => versionIn(host),
    loaders: 1,
    env: (folder) => ({ STORAGE: '', STORAGE_PATH: folder })
  }
}

// Shown beside the stores where something durable is measured.
const limit = { title: 'sled\'s `flush()` and `fdatasync` by themselves', durable: true }

module.exports = { host, limit, needsPeers, ours: 'sled', stores }

function needsPeers (name) {
  return Boolean(stores[name]?.engine?.startsWith(path.dirname(peers)))
}

// This Node if it has the module, else the Node among the peers; undefined if neither has it.
function nodeWithSqlite () {
  if (builtinModules.includes('node:sqlite')) {
    return process.execPath
  }
  const binary = path.join(peers, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  return fs.existsSync(binary) ? binary : undefined
}

function versionIn (folder) {
  return require(path.join(folder, 'package.json')).version
}
