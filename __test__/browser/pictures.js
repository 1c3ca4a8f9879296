// Pictures of the journeys for the documents.
const { execFileSync } = require('child_process')
const fs = require('fs')

module.exports = { keepPicture }

// Makes a picture a fifth as large: every download has it. Takes pngquant and cwebp.
function keepPicture (picture, kept) {
  const few = execFileSync('pngquant', ['--nofs', '16', '-'], { input: fs.readFileSync(picture) })
  execFileSync('cwebp', ['-quiet', '-lossless', '-z', '9', '-o', kept, '--', '-'], { input: few })
}
