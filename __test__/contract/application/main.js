// The application that Dashboard runs in while its own suite tests it.
global.applicationPath = __dirname
