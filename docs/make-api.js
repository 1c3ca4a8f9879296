// `npm run docs`: writes docs/api.md from index.d.ts, in the order of the types. Comments are copied word for word; a
// declaration without a comment is listed as well.
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
const types = path.join(root, 'index.d.ts')
const page = path.join(__dirname, 'api.md')
const introduction = `# API

Every function, type and error code of the package. This page is made from [index.d.ts](../index.d.ts) by \`npm run docs\`; edit that
file instead.

In the examples, \`storage\` is the result of \`Storage.setup()\`, \`lists\` that of \`StorageList.setup()\`, and \`store\` that of
\`open({ path })\`. A comment behind a line is its value. \`__test__/api.test.js\` type-checks and runs all of them.
`

module.exports = { makeApi, page }

// The whole page. It asks the compiler, whose API is an ES module, for the file's syntax and nothing else.
async function makeApi () {
  const { API } = await import('typescript/unstable/sync')
  const { SyntaxKind } = await import('typescript/unstable/ast')
  const compiler = new API({ cwd: root })
  try {
    const project = path.join(root, '__test__', 'types', 'tsconfig.json')
    const [{ program }] = compiler.updateSnapshot({ openProjects: [project] }).getProjects()
    const { statements, text } = program.getSourceFile(types)
    return print(Array.from(statements, (statement) => describe(statement, text, SyntaxKind)))
  } finally {
    compiler.close()
  }
}

// A statement or a member: its name, its comment, how it is declared, and what is in it.
function describe (node, text, SyntaxKind) {
  const declared = node.declarationList ? node.declarationList.declarations[0] : node
  const comments = node.jsDoc || []
  const start = comments.length ? comments[comments.length - 1].end : node.pos
  const members = declared.members || (declared.type && declared.type.members) || []
  return {
    name: declared.name && declared.name.text,
    isType: node.kind === SyntaxKind.InterfaceDeclaration || node.kind === SyntaxKind.TypeAliasDeclaration,
    isMethod: node.kind === SyntaxKind.MethodSignature,
    isFunction: node.kind === SyntaxKind.FunctionDeclaration,
    comment: comments.map((comment) => plain(text.slice(comment.pos, comment.end))).join('\n\n'),
    code: dedent(text.slice(start, node.end).trim().replace(/^export (function )?/, '')),
    members: node.kind === SyntaxKind.FunctionDeclaration ? [] : Array.from(members, (member) => describe(member, text, SyntaxKind))
  }
}

// Returns a comment as Markdown: without its stars, with links into this page, errors as a list, and examples with a title.
function plain (comment) {
  const [text, ...tags] = comment
    .replace(/^[^]*?\/\*\*|\*\/$/g, '')
    .replace(/^ *\* ?/gm, '')
    .replace(/\{@link (\w+)([.\w]*)\}/g, (_, name, member) => `[\`${name}${member}\`](#${isValue(name) ? '' : 'type-'}${name.toLowerCase()})`)
    .split(/^@(?=throws|example)/m)
  const errors = tags.filter((tag) => tag.startsWith('throws')).map((tag) => `- ${tag.slice('throws'.length).trim()}`)
  const examples = tags.filter((tag) => tag.startsWith('example')).map((tag) => `Example:\n\n${tag.slice('example'.length).trim()}`)
  return [text.trim(), errors.length ? `Rejects with:\n\n${errors.join('\n')}` : '', ...examples].filter(Boolean).join('\n\n')
}

// Only functions begin with a small letter, and only the headings of types have a prefix.
function isValue (name) {
  return /^[a-z]/.test(name)
}

function dedent (code) {
  const deepest = Math.min(...[...code.matchAll(/\n( *)\S/g)].map((match) => match[1].length))
  return Number.isFinite(deepest) ? code.replaceAll(`\n${' '.repeat(deepest)}`, '\n') : code
}

function print (statements) {
  const values = statements.filter(({ isType }) => !isType)
  const named = statements.filter(({ isType }) => isType)
  const link = ({ name, isType }) => `[\`${name}\`](#${isType ? 'type-' : ''}${name.toLowerCase()})`
  const parts = [
    introduction,
    `What the package gives: ${values.map(link).join(', ')}.\n\nTypes: ${named.map(link).join(', ')}.\n`,
    '## What the package gives\n', ...values.map(printStatement),
    '## Types\n', ...named.map(printStatement)
  ]
  return parts.join('\n')
}

function printStatement ({ name, isType, isFunction, comment, code, members }) {
  const properties = members.filter(({ isMethod }) => !isMethod)
  const methods = members.filter(({ isMethod }) => isMethod)
  const heading = isType ? `### type \`${name}\`` : `### \`${name}\``
  const parts = [heading, isFunction || !members.length ? block(code) : '', comment]
  if (isType && / extends /.test(code.split('{')[0])) {
    parts.splice(1, 0, block(`${code.split('{')[0].trim()} { … }`))
  }
  if (properties.length) {
    parts.push(['| property | type | |', '|---|---|---|', ...properties.map(row)].join('\n'))
  }
  parts.push(...methods.flatMap((method) => [block(isType ? method.code : `${name}.${method.code}`), method.comment]))
  return parts.filter(Boolean).join('\n\n') + '\n'
}

function row ({ code, comment }) {
  const [, name, type] = /^(?:readonly )?(\[.*?\]|\w+\??): ([^]*)$/.exec(code)
  return `| ${cell(`\`${name}\``)} | ${cell(`\`${type}\``)} | ${cell(comment)} |`
}

function cell (text) {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|')
}

function block (code) {
  return `\`\`\`ts\n${code}\n\`\`\``
}

if (require.main === module) {
  makeApi().then((text) => fs.writeFileSync(page, text))
}
