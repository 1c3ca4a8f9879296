// The documents of this project, and the commands in them.
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..', '..')
// Fences in these languages contain no commands; fences without a language do.
const languages = ['dockerfile', 'ini', 'js', 'json', 'text', 'ts']
const programs = ['bash', 'cargo', 'cat', 'cd', 'cp', 'curl', 'dashboard-sled', 'docker', 'find', 'git', 'journalctl', 'kill', 'mkdir', 'mv', 'node', 'npm', 'npx', 'rm', 'rsync', 'scp', 'sh', 'ssh', 'sudo', 'systemctl', 'systemd-analyze', 'tar']
const command = new RegExp(`^(?:[A-Z_]+=\\S* )*(?:${programs.join('|')}) `)

const documents = listDocuments()
// The changelog describes the past; nobody follows it.
const manuals = documents.filter((file) => file !== 'CHANGELOG.md')

module.exports = { blocksOf, commandsOf, documents, manuals, read }

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

// The fenced blocks of a language.
function blocksOf (file, language) {
  return [...read(file).matchAll(/^```(\w*)\n([^]*?)^```$/gm)].filter((match) => match[1] === language).map((match) => match[2])
}

// Every command of a document once, in the order of the page: lines of fences and of indented blocks, whatever they
// begin with, and spans of code that begin with a program. A line that ends in a backslash goes on in the next one. JSON among the indented blocks is left out.
function commandsOf (file) {
  const found = []
  let fence
  let isIndented = false
  let before = ''
  for (const line of read(file).replace(/ \\\n +/g, ' ').split('\n')) {
    if (line.startsWith('```')) {
      fence = fence === undefined ? line.slice(3) : undefined
    } else if (fence !== undefined) {
      if (!languages.includes(fence) && line.trim()) {
        found.push(fence === 'cron' ? line.split(' ').slice(5).join(' ') : line)
      }
    } else {
      isIndented = /^ {4}\S/.test(line) ? isIndented || !before.trim() : isIndented && (!line.trim() || line.startsWith('     '))
      if (isIndented && !/^ *["{}\]]/.test(line)) {
        found.push(line)
      } else if (!isIndented) {
        found.push(...[...line.matchAll(/`([^`]+)`/g)].map((match) => match[1]).filter((code) => command.test(code)))
      }
    }
    before = line
  }
  // In a table a pipe is escaped, and the tool may be called by its own name.
  const commands = found.map((line) => line.trim().replaceAll('\\|', '|').replace(/^dashboard-sled /, 'npx dashboard-sled '))
  return [...new Set(commands.filter((line) => line && !line.startsWith('#')))]
}
