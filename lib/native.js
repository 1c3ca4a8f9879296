// The exports of the native binary for this platform. Without a binary of this version, loading fails with an error that says what
// to do.
const { failure } = require('./errors.js')
const { name, napi, version } = require('../package.json')

// Node's names of processors and systems, by Rust's.
const nodeNames = { aarch64: 'arm64', windows: 'win32', x86_64: 'x64' }

module.exports = load()

function load () {
  const native = loadBinary()
  // The functions of another version may have other arguments. The earliest binaries have no VERSION.
  if (native.VERSION !== version) {
    throw failure('binary-mismatch', 'ERR_BINARY_MISMATCH',
      `the binary is of ${native.VERSION ? `version ${native.VERSION}` : 'an earlier version'}, and the package ${name} is ${version}: ` +
      'remove node_modules and package-lock.json, and run npm install; in the source of the package, run npm run build')
  }
  // Code in another context, as in jest, has its own Error.
  native.useErrors(Error)
  return native
}

function loadBinary () {
  try {
    return require('../native.js')
  } catch (error) {
    throw failure('platform-unsupported', 'ERR_PLATFORM_UNSUPPORTED', explain(error))
  }
}

function explain (error) {
  const platforms = napi.targets.map(platformOf)
  const here = thisPlatform()
  const reason = platforms.includes(here) ? explainSupported(error, here) : `there is no binary for ${here}`
  return `${reason}; there are binaries for ${platforms.join(', ')}; to build one, get the source of ${name}, ` +
    'run npm ci and npm run build there, which needs Rust and a C compiler, and then npm install <that folder> in your application'
}

function explainSupported (error, here) {
  const errors = []
  for (let cause = error; cause; cause = cause.cause) {
    errors.push(cause)
  }
  // The other errors are about binaries that were not found.
  const loading = errors.find(({ message }) => !message.startsWith('Cannot find'))
  return loading
    ? `the binary for ${here} cannot be loaded (${loading.message})`
    : `the package ${name}-${here} with the binary for this platform is missing, which npm leaves out with --omit=optional ` +
      'or after a package-lock.json from another platform: remove node_modules and package-lock.json, and run npm install'
}

// x86_64-unknown-linux-gnu is linux-x64-gnu, as in the name of its package.
function platformOf (target) {
  const [processor, , system, library] = target.split('-')
  return [nodeNames[system] || system, nodeNames[processor], library].filter(Boolean).join('-')
}

function thisPlatform () {
  const { glibcVersionRuntime } = process.report.getReport().header
  const library = { linux: glibcVersionRuntime ? '-gnu' : '-musl', win32: '-msvc' }[process.platform] || ''
  return `${process.platform}-${process.arch}${library}`
}
