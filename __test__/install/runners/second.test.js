// The same again: a runner loads the addon anew for each file.
require('./first.test.js')
