// The pages, by the names of lib/routes.js. The code of a page is loaded when somebody opens it.
module.exports = {
  administrator: {
    LiveSessionsPage: { get: (req, res) => require('./live-sessions.js').administrator.get(req, res) },
    EndSessionsPage: {
      get: (req, res) => require('./end-sessions.js').administrator.get(req, res),
      post: (req, res) => require('./end-sessions.js').administrator.post(req, res)
    },
    AuditPage: { get: (req, res) => require('./audit.js').page.get(req, res) },
    AuditDownloadPage: { get: (req, res) => require('./audit.js').choice.get(req, res) },
    AuditFile: { get: (req, res) => require('./audit.js').file.get(req, res) },
    StorePage: { get: (req, res) => require('./store.js').get(req, res) }
  },
  user: {
    LiveSessionsPage: { get: (req, res) => require('./live-sessions.js').user.get(req, res) },
    EndSessionsPage: {
      get: (req, res) => require('./end-sessions.js').user.get(req, res),
      post: (req, res) => require('./end-sessions.js').user.post(req, res)
    }
  }
}
