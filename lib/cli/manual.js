// What is told about each command beside its options: by --help, in docs/commands.md and in the manual page.
//   examples: [command, what it does]
//   found:    what exit code 3 means; undefined where it does not occur
//   fields:   of --json, beside `store`: [name, meaning, with which option alone]
//   opens:    false where no store is opened
const damaged = [['damaged', 'how many records, lists and items are damaged and were left'], ['described', 'the first hundred of them by name']]
const report = [
  ['records', 'how many records'],
  ['lists', 'how many lists'],
  ['items', 'how many items in all lists'],
  ['bytes', 'the bytes of all keys and values'],
  ['problems', 'how many things are wrong'],
  ['described', 'the first hundred of them']
]
const dryRun = ['dryRun', 'true', '--dry-run']

module.exports = {
  backup: {
    examples: [
      ['backup /backup/2026-11-22', 'a copy, which is read before it is called done'],
      ['backup /backup/all --keep 14', 'the same into a folder with the date, of which the last 14 are kept']
    ],
    fields: [...report, ['folder', 'where the backup is'], ['removed', 'the folders of the old backups that were removed']]
  },
  restore: {
    examples: [
      ['restore /backup/2026-11-22 --dry-run', 'say what would happen'],
      ['restore /backup/2026-11-22', 'put it in place, and end every session']
    ],
    found: 'with --dry-run: the backup is damaged and would be refused',
    fields: [
      ['backup', 'the report of the backup, as of verify'],
      ['diskBytes', 'the bytes of the new store on the disk'],
      ['replaced', 'the folder in which the store that was there is kept, or null'],
      ['replacedBytes', 'the bytes it takes'],
      ['ended', 'accounts whose sessions were ended and other records under such keys, or null with --keep-sessions'],
      dryRun,
      ['accounts', 'accounts whose sessions would be ended', '--dry-run'],
      ['replaces', 'whether there is a store that would be replaced', '--dry-run']
    ]
  },
  'remove-replaced': {
    examples: [['remove-replaced', 'remove the stores that restores have replaced; stats says how many bytes they take']],
    fields: [['removed', 'the folders that were removed'], ['bytes', 'how many bytes they had']]
  },
  verify: {
    examples: [
      ['verify', 'read the default store'],
      ['verify /backup/2026-11-22', 'read a backup'],
      ['verify --repair', 'rebuild counters and indexes from the records; make a backup before']
    ],
    found: 'something is wrong with the store; described says what',
    fields: [...report, ['repairs', 'how many repairs were made', '--repair'], ['repaired', 'the first hundred of each kind', '--repair'], ['unreadable', 'items of session lists that could not be judged', '--repair'], ['left', 'the report of what is there now, with the fields above', '--repair']]
  },
  recover: {
    examples: [
      ['recover --invalidate-sessions', 'accept a store that went back in time, and end every session; with --even-if-whole also of one that did not'],
      ['recover --salvage saved', 'bring everything that can be read into a new store, end its sessions, and name what was lost']
    ],
    found: 'with --salvage: something was lost; described says what',
    fields: [
      ['accounts', 'accounts whose sessions were ended'],
      ['others', 'records under keys of accounts that are not accounts'],
      dryRun,
      ['wentBack', 'whether the store has gone back in time', '--dry-run'],
      ['records', 'records that were saved', '--salvage'],
      ['lists', 'lists that were saved', '--salvage'],
      ['items', 'items of these lists', '--salvage'],
      ['ended', 'accounts and others as above', '--salvage'],
      ['damaged', 'how many times something was lost', '--salvage'],
      ['described', 'the first hundred of them', '--salvage']
    ]
  },
  export: {
    examples: [
      ['export --output dashboard.jsonl', 'everything as lines of JSON, readable by its owner alone'],
      ['export | ssh other npx dashboard-sled import --from jsonl -', 'to another machine, without a file']
    ],
    found: 'something is damaged and is missing in the export; described names it',
    fields: [['records', 'how many records'], ['lists', 'how many lists'], ['items', 'how many items in all lists'], ...damaged],
    notes: ['Without --output the line of --json is on stderr, since stdout has the data.']
  },
  import: {
    examples: [
      ['import --from jsonl dashboard.jsonl --dry-run', 'what an import would bring over, and what would be kept'],
      ['import --from jsonl dashboard.jsonl --yes', 'read an export, equal to the byte; a damaged file changes nothing. What ended or was changed in the store since is kept'],
      ['import --from jsonl dashboard.jsonl --overwrite --yes', 'the same, but everything is replaced, and every session is ended'],
      ['import --from files data --verify', 'from Dashboard\'s own files; compared with them afterwards'],
      ['import --from sled data/copy.sled --verify', 'from another store, which has to be closed'],
      ['import --from redis redis://localhost:6379/0 --verify', 'from Redis'],
      ['import --from mysql mysql://user:password@localhost/dashboard --verify', 'from MySQL or MariaDB'],
      ['import --from postgresql postgresql://user:password@localhost/dashboard --verify', 'from PostgreSQL']
    ],
    found: 'with --verify: the store differs from the source; described says where',
    fields: [
      ['records', 'records that were brought over'],
      ['lists', 'lists that were brought over'],
      ['items', 'items of these lists'],
      ['bytes', 'the bytes of the records'],
      ['kept', 'accounts and sessions of which something was kept, since it ended or was changed in the store'],
      ['keptRecords', 'the first of them by name'],
      ['skipped', 'how many things of the source were left out'],
      ['ended', 'accounts whose sessions were ended, and others', '--overwrite'],
      ['dryRun', 'true', '--dry-run'],
      ['differences', 'how many differences there are', '--verify'],
      ['described', 'the first of them', '--verify']
    ]
  },
  purge: {
    examples: [
      ['purge --older-than 30d --dry-run', 'how many sessions ended or expired longer ago than that'],
      ['purge --older-than 30d', 'remove them; SLED_PURGE_AFTER=30d does it every hour in the dashboard']
    ],
    found: 'something could not be read or is damaged, and was left',
    fields: [
      ['sessions', 'sessions that were looked at'],
      ['removed', 'sessions that were removed, or would be'],
      ['unreadable', 'sessions that are encrypted under another secret, and were left'],
      ['others', 'records under keys of sessions that are not sessions'],
      ...damaged
    ]
  },
  compact: {
    examples: [['compact', 'fresh files, since they never shrink']],
    fields: [['before', 'the bytes on the disk before'], ['after', 'and after']]
  },
  stats: {
    examples: [['stats', 'what there is, by application and kind']],
    found: 'something is damaged, and was not counted; described names it',
    fields: [
      ['records', 'how many records'],
      ['bytes', 'the bytes of their contents'],
      ['lists', 'how many lists'],
      ['items', 'how many items in all lists'],
      ['kinds', 'records and bytes by appid and kind'],
      ...damaged,
      ['diskBytes', 'the bytes of the store on the disk'],
      ['replacedBytes', 'the bytes of the stores that restores have replaced']
    ]
  },
  inspect: {
    examples: [
      ['inspect dashboard/account/account_1', 'one record, what may be secret redacted'],
      ['inspect dashboard/account/account_1 --reveal', 'everything']
    ],
    fields: [['record', 'the key'], ['bytes', 'the bytes of the record as it is stored'], ['form', 'JSON, text or binary; encrypted before it, if it is'], ['value', 'the contents']],
    notes: [
      'Without --reveal the properties that Dashboard itself writes and that are not secret are shown, and ids. Everything else is redacted.',
      'A record that cannot be decrypted ends with exit code 1.'
    ]
  },
  list: {
    examples: [['list dashboard/accounts --offset 0 --limit 20', 'one list, newest first']],
    fields: [['list', 'the path'], ['count', 'how many items the list has'], ['offset', 'how many were skipped'], ['items', 'the items']]
  },
  completion: {
    opens: false,
    examples: [
      ['completion bash', 'for ~/.bashrc: source <(npx dashboard-sled completion bash)'],
      ['completion zsh', 'for ~/.zshrc, behind compinit: source <(npx dashboard-sled completion zsh)'],
      ['completion fish', 'for ~/.config/fish/completions/dashboard-sled.fish']
    ],
    fields: []
  }
}
