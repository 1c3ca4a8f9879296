// Fills the HTML of a page, which is a template of Mustache, and sends it in Dashboard's frame. Dashboard's own templates are not
// used, because it runs them as JavaScript: text of a user in them would be code.
const fs = require('fs')
const path = require('path')
const mustache = require('mustache')
const { findHost } = require('../host.js')

// A backtick, a dollar and a brace would begin code in Dashboard's templates; a backslash before a quote ends an attribute in its
// parser too late.
const ENTITIES = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39', '`': '#96', $: '#36', '{': '#123', '\\': '#92' }
const style = fs.readFileSync(path.join(__dirname, 'style.css'), 'utf8')

module.exports = { escape, fill, render, url }

// Sends a page. `view` has what its template names.
async function render (req, res, view) {
  const { HTML, Response } = findHost()
  // Dashboard adds it to the action of each form, with the quotes that it has.
  delete req.query?.['return-url']
  res.setHeader('cache-control', 'no-store')
  const isFramed = req.route.template !== false
  return Response.end(req, res, HTML.parse(fill(req.html || req.route.html, view, isFramed ? escape : entities)))
}

function fill (template, view, escape) {
  return mustache.render(template, { ...view, style }, {}, { escape })
}

// Twice, because Dashboard puts the page into an attribute of its frame as it is: a browser decodes it there, and again as a page.
function escape (value) {
  return entities(entities(String(value)))
}

function entities (text) {
  return text.replace(/[&<>"'`$\\{]/g, (character) => `&${ENTITIES[character]};`)
}

function url (path, query) {
  const text = new URLSearchParams(query).toString()
  return text ? `${path}?${text}` : path
}
