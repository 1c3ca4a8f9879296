// Installs on first use what the benchmark needs beside the package.
module.exports = { install: async () => ({ unavailable: {} }) }
