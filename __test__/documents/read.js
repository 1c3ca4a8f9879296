// The documents of this project, and the commands that stand in them.
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..', '..')

module.exports = { documents: listDocuments(), read }

function listDocuments () {
  const pages = (folder) => fs.readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.md'))
  return [
    ...pages('.'),
    ...['docs', 'docs/decisions'].flatMap((folder) => pages(folder).map((file) => `${folder}/${file}`))
  ]
}

function read (file) {
  return fs.readFileSync(path.join(root, file), 'utf8')
}
