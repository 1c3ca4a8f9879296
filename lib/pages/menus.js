// The entries of this package in Dashboard's menus. Dashboard reads the files menu-*.html of a module whether it is active or not,
// therefore they are added when it starts.
const ADMINISTRATOR = `
<a href="/administrator/live-sessions" translate="yes">Live sessions</a>
<a href="/administrator/audit" translate="yes">Audit</a>
<a href="/administrator/store" translate="yes">Store</a>`
const ACCOUNT = '<a href="/account/live-sessions" translate="yes">Where I am signed in</a>'

module.exports = { addMenus }

function addMenus (menus) {
  for (const [menu, entries] of [[menus?.administrator, ADMINISTRATOR], [menus?.account, ACCOUNT]]) {
    if (menu && !menu.includes(entries)) {
      menu.unshift(entries)
    }
  }
}
