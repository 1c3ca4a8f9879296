// Commands of the documents that documents.test.js does not run, with what covers them: a file, and what stands in it.
// Without a file there is only the reason.

const partOfTest = (text) => ({ file: '__test__/run.js', text })
const install = { file: '__test__/install/run.js', text: 'dashboard-sled' }
const migration = { file: '__test__/migration.test.js', text: 'every command of the page stands in a test' }

module.exports = {
  'npx dashboard-sled recover --salvage saved': { file: '__test__/salvage.test.js', text: "'recover', '--salvage'" },
  'npm test': { file: '.ci/run', text: 'npm test' },
  'npm run test:faults': { file: '.ci/run', text: 'npm run test:faults' },
  'npm run test:pages': { file: '__test__/contract/pages.js', text: 'require.main === module' },
  'npm run test:install': { file: '.ci/run', text: 'npm run test:install' },
  'npm run test:browser': partOfTest("'run', 'test:browser'"),
  'npm run release': { file: '.github/workflows/release.yml', text: '- run: npm run release' },
  'python3 -m venv target/tools/zig': { file: '__test__/install/portable.js', text: "'python3', ['-m', 'venv'" },
  'target/tools/zig/bin/pip install --requirement .ci/requirements.txt': { file: '__test__/install/portable.js', text: "'--requirement', requirements" },
  'PATH="$PWD/target/tools/zig/bin:$PATH" npm run build -- -x --target x86_64-unknown-linux-gnu.2.17 --output-dir artifacts': { file: '__test__/install/portable.js', text: "'2.17'" },
  'npm run bench': { file: '__test__/bench.test.js', text: "'bench', 'run.js'" },
  'npm run bench -- --quick': { file: '__test__/bench.test.js', text: "'bench', 'run.js'" },
  'cargo bench': partOfTest("'--all-targets'"),
  'cargo bench --bench rules': partOfTest("'--all-targets'"),
  'npm start': { file: '__test__/start.test.js', text: "describe('npm start'" },
  'npm run build': partOfTest("'run', 'build'"),
  'npm run build:debug': { reason: 'the same as npm run build, without --release' },
  'npm run docs': { file: '__test__/documents.test.js', text: 'await makeApi()' },
  'npm ci': partOfTest("run('npm', ['ci'"),
  'npm audit': partOfTest("'npm', ['audit'"),
  'cargo test': partOfTest("run('cargo', ['test'"),
  'cargo fmt': partOfTest("run('cargo', ['fmt'"),
  'cargo clippy --all-targets': partOfTest("'--all-targets'"),
  'npx mocha __test__/storage.test.js': partOfTest("run('npx', ['mocha'"),
  "npx mocha --exit --timeout 10000 '__test__/*.test.js'": partOfTest("['mocha', '--exit', '--timeout', '10000', '__test__/*.test.js']"),
  'npx standard --fix': partOfTest("run('npx', ['standard']"),
  'kill -9': { file: '__test__/faults/kill.fault.js', text: 'kill' },

  'npm install': install,
  'npm install dashboard-sled': install,
  'npm install dashboard-sled@latest': install,
  'npm ci --omit=optional': { reason: 'what nobody should do' },
  'npm install redis@5': migration,
  'npm install mysql2@3': migration,
  'npm install pg@8': migration,
  'npx dashboard-sled import --from jsonl older.jsonl --overwrite --yes': { file: '__test__/import-over.test.js', text: "'--overwrite'" },
  'npx dashboard-sled import --from sled data/copy.sled --verify': { file: '__test__/import-command.test.js', text: "'--from', 'sled'" },
  'npx dashboard-sled import --from files data --verify': migration,
  'npx dashboard-sled import --from redis "$REDIS_URL" --verify': migration,
  'npx dashboard-sled import --from mysql "$DATABASE_URL" --verify': migration,
  'npx dashboard-sled import --from postgresql "$DATABASE_URL" --verify': migration,
  'npx dashboard-sled import --from redis redis://localhost:6379/0 --verify': migration,
  'npx dashboard-sled import --from mysql mysql://user:password@localhost/dashboard --verify': migration,
  'npx dashboard-sled import --from postgresql postgresql://user:password@localhost/dashboard --verify': migration,
  'npx dashboard-sled import --from postgresql "$ORGANIZATIONS_DATABASE_URL" --store "$ORGANIZATIONS_SLED_PATH" --verify': migration,

  'systemctl kill --kill-whom=main --signal=SIGUSR2 dashboard': { file: '__test__/commands.test.js', text: "child.kill('SIGUSR2')" },
  'systemctl daemon-reload': { reason: 'no systemd runs in a test; its unit is verified' },
  'systemctl enable --now dashboard': { reason: 'the same' },
  'journalctl --unit dashboard --follow': { reason: 'the same' },
  'docker build --tag dashboard .': { reason: 'no docker runs in a test; the Dockerfile is read' },
  'docker run --detach --init --name dashboard --env-file dashboard.env --publish 8000:8000 --volume dashboard:/var/lib/dashboard dashboard': { reason: 'the same' },
  'docker stop dashboard': { reason: 'the same' },
  'docker run --rm --volume dashboard:/var/lib/dashboard dashboard npx dashboard-sled verify': { reason: 'the same; its end is run' }
}
