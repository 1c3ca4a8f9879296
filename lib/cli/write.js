module.exports = { write }

// Writes a text. Unlike console.log, it fails if the text could not be written.
function write (stream, text) {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => error ? reject(error) : resolve())
  })
}
