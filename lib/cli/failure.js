// Explains errors of the system in sentences.
const fs = require('fs')
const path = require('path')
const { failure } = require('../errors.js')
const { explainDanglingLink } = require('../folders.js')

const sentences = {
  EACCES: 'this user may not use it',
  EDQUOT: 'this user has no space left',
  EEXIST: 'it exists already',
  EFBIG: 'it would be larger than the system allows',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder; name a file',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'there is no space left; free some space, or choose another disk',
  ENOTDIR: 'part of its path is a file where a folder is needed',
  ENXIO: 'nothing reads from it',
  EPERM: 'this user may not use it',
  EROFS: 'it is on a read-only medium'
}
const notPermitted = ['EACCES', 'EPERM', 'EROFS']

module.exports = { explainSystemError }

// Returns an error of the tool for an error of a system call.
function explainSystemError ({ code, message, path: file }) {
  const detail = file && code === 'ENOENT' ? explainMissing(file) : `${file || 'the output'}: ${sentences[code] || message}`
  return notPermitted.includes(code) ? failure('not-permitted', 'ERR_NOT_PERMITTED', detail) : failure('file-failed', 'ERR_FILE', detail)
}

function explainMissing (file) {
  const folder = path.dirname(file)
  return explainDanglingLink(file) || (fs.existsSync(folder) ? `${file} does not exist` : `there is no folder ${folder}`)
}
