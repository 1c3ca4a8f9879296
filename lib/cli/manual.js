// Texts about each command, for --help, docs/commands.md and the manual page. The texts about its options are with the command.
//   examples: [command, what it does]
//   notes:    paragraphs
//   found:    the meaning of exit code 3, if the command can end with it
//   fields:   the fields of --json, beside `store`: [name, meaning, the only option with which it occurs]
//   opens:    false if the command opens no store
//   running:  true if it works while the dashboard runs
//   streams:  true if it prints while it reads, and ends with exit code 141 when nobody reads any more
const damaged = [['damaged', 'number of records, lists and items that are damaged and were left'], ['described', 'the first hundred of them by name']]
const report = [
  ['records', 'number of records'],
  ['lists', 'number of lists'],
  ['items', 'number of items in all lists'],
  ['bytes', 'size of all keys and values in bytes'],
  ['problems', 'number of problems'],
  ['described', 'the first hundred of them']
]
const dryRun = ['dryRun', 'true', '--dry-run']

module.exports = {
  backup: {
    running: true,
    examples: [
      ['backup /backup/2026-11-22', 'make a copy, and verify it'],
      ['backup /backup/all --keep 14', 'the same into a folder with the date; the last 14 of these are kept']
    ],
    fields: [...report, ['folder', 'folder of the backup'], ['removed', 'folders of the old backups that were removed']]
  },
  restore: {
    examples: [
      ['restore /backup/2026-11-22 --dry-run', 'report what would happen'],
      ['restore /backup/2026-11-22', 'put it in place, and end every session']
    ],
    found: 'with --dry-run: the backup is damaged and would be refused',
    fields: [
      ['backup', 'report of the backup, as of verify'],
      ['diskBytes', 'size of the new store on the disk in bytes'],
      ['replaced', 'folder in which the previous store is kept, or null'],
      ['replacedBytes', 'its size in bytes'],
      ['ended', 'accounts whose sessions were ended, and other records under such keys; null with --keep-sessions'],
      dryRun,
      ['accounts', 'accounts whose sessions would be ended', '--dry-run'],
      ['replaces', 'whether there is a store that would be replaced', '--dry-run']
    ]
  },
  'remove-replaced': {
    examples: [['remove-replaced', 'remove the stores that restores have replaced; stats prints their size']],
    fields: [['removed', 'folders that were removed'], ['bytes', 'their size in bytes']]
  },
  verify: {
    running: true,
    examples: [
      ['verify', 'verify the default store'],
      ['verify /backup/2026-11-22', 'verify a backup'],
      ['verify --repair', 'rebuild counters and indexes from the records; make a backup before']
    ],
    found: 'the store has problems; described names them',
    notes: ['It does not check the chain of the audit; audit verify does.'],
    fields: [...report, ['repairs', 'number of repairs that were made', '--repair'], ['repaired', 'the first hundred of each kind', '--repair'], ['unreadable', 'items of session lists that could not be judged', '--repair'], ['left', 'report of the store after the repair, with the fields above', '--repair']]
  },
  recover: {
    examples: [
      ['recover --invalidate-sessions', 'accept a store that went back in time, and end every session; with --even-if-whole also a store that did not'],
      ['recover --salvage saved', 'copy everything that can be read into a new store, end its sessions, and name what was lost']
    ],
    found: 'with --salvage: something was lost; described names it',
    fields: [
      ['accounts', 'accounts whose sessions were ended'],
      ['others', 'records under keys of accounts that are not accounts'],
      dryRun,
      ['wentBack', 'whether the store has gone back in time; null for a database, which does not say', '--dry-run'],
      ['records', 'records that were saved', '--salvage'],
      ['lists', 'lists that were saved', '--salvage'],
      ['items', 'items of these lists', '--salvage'],
      ['ended', 'accounts and others as above', '--salvage'],
      ['damaged', 'number of times that something was lost', '--salvage'],
      ['described', 'the first hundred of them', '--salvage']
    ]
  },
  export: {
    streams: true,
    examples: [
      ['export --output dashboard.jsonl', 'write everything as lines of JSON, into a file that only its owner can read'],
      ['export | ssh other npx dashboard-sled import --from jsonl -', 'copy everything to another machine, without a file']
    ],
    found: 'something is damaged and is missing in the export; described names it',
    fields: [['records', 'number of records'], ['lists', 'number of lists'], ['items', 'number of items in all lists'], ...damaged],
    notes: ['Without --output the line of --json is on stderr, since stdout has the data.']
  },
  import: {
    examples: [
      ['import --from jsonl dashboard.jsonl --dry-run', 'report what an import would bring over, and what would be kept'],
      ['import --from jsonl dashboard.jsonl --yes', 'import an export; every byte is the same afterwards. A damaged file changes nothing. Whatever ended or was changed in the store since is kept'],
      ['import --from jsonl dashboard.jsonl --overwrite --yes', 'the same, but everything is replaced, and every session is ended'],
      ['import --from files data --verify', 'import Dashboard\'s own files, and compare the store with them afterwards'],
      ['import --from sled data/copy.sled --verify', 'import another store, which has to be closed'],
      ['import --from redis redis://localhost:6379/0 --verify', 'import from Redis'],
      ['import --from mysql mysql://user:password@localhost/dashboard --verify', 'import from MySQL or MariaDB'],
      ['import --from postgresql postgresql://user:password@localhost/dashboard --verify', 'import from PostgreSQL']
    ],
    found: 'with --verify: the store differs from the source; described names the differences',
    fields: [
      ['records', 'records that were brought over'],
      ['lists', 'lists that were brought over'],
      ['items', 'items of these lists'],
      ['bytes', 'size of the records in bytes'],
      ['kept', 'accounts and sessions of which something was kept, because it ended or was changed in the store'],
      ['keptRecords', 'the first hundred of them by name'],
      ['keptAudit', 'whether the audit of the source was left out, because the store has one'],
      ['skipped', 'number of entries of the source that were left out'],
      ['ended', 'accounts whose sessions were ended, and others', '--overwrite'],
      ['dryRun', 'true', '--dry-run'],
      ['differences', 'number of differences', '--verify'],
      ['described', 'the first hundred of them', '--verify']
    ]
  },
  'sessions list': {
    running: true,
    examples: [
      ['sessions list --state live', 'show who is signed in, newest first'],
      ['sessions list --account account_1', 'show the sessions of one account'],
      ['sessions list --count', 'count the live ones and those that have ended']
    ],
    fields: [
      ['sessions', 'the sessions: as `Session.get` has them, with `state`, `age` in seconds, `lastSeen`, `address` and `agent`'],
      ['cursor', 'where --cursor goes on; null at the end'],
      ['live', 'number of live sessions', '--count'],
      ['ended', 'number of sessions that have ended', '--count']
    ]
  },
  'sessions show': {
    running: true,
    examples: [['sessions show session_1', 'show one session, and why and by whom it was ended']],
    fields: [['session', 'the session, as of `sessions list`'], ['end', 'its end: `cause`, `ended`, `actor`, `reason` and the entry of the audit; null while it is live']]
  },
  'sessions end': {
    running: true,
    examples: [
      ['sessions end --session session_1 --reason "lost phone"', 'end one session'],
      ['sessions end --account account_1 --dry-run', 'report which sessions of an account would be ended'],
      ['sessions end --all-but session_1', 'end those of the same account, but not this one'],
      ['sessions end --all --before 1h', 'end all that were created more than an hour ago'],
      ['sessions end --all --idle-since 30d', 'end all that nobody has used for 30 days']
    ],
    notes: [
      'Say with exactly one of --session, --account, --all-but and --all which sessions are meant. The audit names you: command-line, and your user name.'
    ],
    fields: [
      ['dryRun', 'whether this is only a report'],
      ['ended', 'number of sessions; missing with --all, which ends them by a time'],
      ['sessionids', 'the first hundred of them'],
      ['accountids', 'the accounts of which all sessions were ended'],
      ['createdBefore', 'sessions of the application that were created before this time were ended', '--all'],
      ['time', 'when it came into force, in seconds'],
      ['entries', 'numbers of the entries of the audit']
    ]
  },
  'audit list': {
    running: true,
    streams: true,
    examples: [
      ['audit list --account account_1', 'show which sessions of an account ended, why and by whom'],
      ['audit list --since 7d --cause ended-by-administrator', 'show what administrators have ended in the last week'],
      ['audit list --all --format csv', 'print everything for a spreadsheet']
    ],
    notes: ['With --format csv or json the line of --json is on stderr, since stdout has the data.'],
    found: 'entries are missing in the list, because the store is damaged; run audit verify',
    fields: [
      ['number', 'number of entries'],
      ['missing', 'number of entries that are missing among them, because the store is damaged'],
      ['entries', 'the entries; missing with --format csv or json']
    ]
  },
  'audit verify': {
    running: true,
    examples: [['audit verify', 'check the chain of all entries']],
    found: 'the chain is broken; break names the first place',
    fields: [['entries', 'number of entries'], ['break', 'the first break, or null'], ['number', 'the number of its entry, or null']]
  },
  'audit erase': {
    running: true,
    examples: [['audit erase --account account_1', 'remove what the audit tells of an account']],
    fields: [['accountid', 'the account'], ['entries', 'number of entries from which something was removed']]
  },
  purge: {
    examples: [
      ['purge --older-than 30d --dry-run', 'count the sessions that ended or expired longer ago than that'],
      ['purge --older-than 30d', 'remove them; SLED_PURGE_AFTER=30d does it every hour in the dashboard']
    ],
    found: 'something could not be read or is damaged, and was left',
    fields: [
      ['sessions', 'sessions that were read'],
      ['removed', 'sessions that were removed, or would be'],
      ['unreadable', 'sessions that are encrypted under another secret, and were left'],
      ['others', 'records under keys of sessions that are not sessions'],
      ...damaged
    ]
  },
  compact: {
    examples: [['compact', 'rewrite the store into fresh files, because files never shrink']],
    fields: [['before', 'size on the disk before, in bytes'], ['after', 'size on the disk after, in bytes']]
  },
  stats: {
    running: true,
    examples: [['stats', 'count the contents of the store, by application and kind']],
    found: 'something is damaged, and was not counted; described names it',
    fields: [
      ['records', 'number of records'],
      ['bytes', 'size of their contents in bytes'],
      ['lists', 'number of lists'],
      ['items', 'number of items in all lists'],
      ['kinds', 'records and bytes by appid and kind'],
      ...damaged,
      ['diskBytes', 'size of the store on the disk in bytes'],
      ['replacedBytes', 'size of the stores that restores have replaced, in bytes']
    ]
  },
  inspect: {
    running: true,
    examples: [
      ['inspect dashboard/account/account_1', 'show one record; possible secrets are redacted'],
      ['inspect dashboard/account/account_1 --reveal', 'show everything']
    ],
    fields: [['record', 'the key'], ['bytes', 'size of the record as it is stored, in bytes'], ['form', 'JSON, text or binary; starts with `encrypted` if the record is'], ['value', 'the contents']],
    notes: [
      'Without --reveal, only ids and Dashboard\'s non-secret properties are shown. Everything else is redacted.',
      'A record that cannot be decrypted ends with exit code 1.'
    ]
  },
  list: {
    running: true,
    streams: true,
    examples: [['list dashboard/accounts --offset 0 --limit 20', 'show one list, newest first']],
    fields: [['list', 'the path'], ['count', 'number of items in the list'], ['offset', 'number of items that were skipped'], ['items', 'the items']]
  },
  completion: {
    opens: false,
    examples: [
      ['completion bash', 'for ~/.bashrc: source <(npx dashboard-sled completion bash)'],
      ['completion zsh', 'for ~/.zshrc, after compinit: source <(npx dashboard-sled completion zsh)'],
      ['completion fish', 'for ~/.config/fish/completions/dashboard-sled.fish']
    ],
    fields: []
  }
}
