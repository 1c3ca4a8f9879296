// What the binary of this platform gives; without one of this version, an error that says what to do.
const { invalid } = require('./arguments.js')
const { name, napi, version } = require('../package.json')

// Parts of Rust's names, as Node calls them.
const nodeNames = { aarch64: 'arm64', windows: 'win32', x86_64: 'x64' }

module.exports = load()

function load () {
  const native = loadBinary()
  // What a binary of another version gives may have other arguments. One from before it was told apart gives none.
  if (native.VERSION !== version) {
    throw invalid('binary-mismatch', 'ERR_BINARY_MISMATCH',
      `the binary is of ${native.VERSION ? `version ${native.VERSION}` : 'an earlier version'}, and the package ${name} is ${version}: ` +
      'remove node_modules and package-lock.json, and run npm install; in the source of the package, run npm run build')
  }
  // In a context of its own, as in jest, code has an Error of its own.
  native.useErrors(Error)
  return native
}

function loadBinary () {
  try {
    return require('../native.js')
  } catch (error) {
    throw invalid('platform-unsupported', 'ERR_PLATFORM_UNSUPPORTED', explain(error))
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
  // Where something was found and failed, the rest is what was tried in vain.
  const failure = errors.find(({ message }) => !message.startsWith('Cannot find'))
  return failure
    ? `the binary for ${here} cannot be loaded (${failure.message})`
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
