//! The tables and their migration.
//!
//! The tables `objects` and `lists` are those of an engine of Dashboard, whose processes may run during the migration.
//! The additions do not disturb them: columns that may be null, and indexes that are built without a lock. A unique
//! index refuses an item that a list has already, which that engine checks itself beforehand.
//!
//! ```text
//! objects   path | contents | created | ds_name | ds_retired
//! lists     listid | path | objectid | created | ds_path | ds_objectid
//! ds_meta   name | value                      the version of the tables, the marks of `marks`
//! ds_node   id | batch | fence | late | renewed | leased    one row for each open store
//! ds_epoch  id | epoch                        the number of changes that other nodes were told of
//! ds_list   path | is_counted                 the long lists, and
//! ds_block  path | block | items              the numbers of their items: [`super::blocks`]
//! ```
//!
//! `ds_name`, `ds_path` and `ds_objectid` are names that do not fit ([`super::names`]). `ds_retired` holds the
//! fingerprints of retired values. [`crate::store::postgres::commit`] explains `ds_node`.

use crate::store::error::StoreError;
use crate::store::postgres::link::connection::{Connection, Connector};
use crate::store::postgres::link::errors::Failure;
use crate::store::problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::Row;

/// Version of the tables that this file describes.
const VERSION: i32 = 2;

/// Held while the tables are changed, so that nodes that start together do it one after the other. Nobody waits for it
/// in a statement, because the building of an index waits for all statements.
const LOCK: &str = "SELECT pg_try_advisory_lock(1685286764, 1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1685286764, 1)";

/// The catalog, because `information_schema` hides tables from a user without rights.
const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, t.typname::text, \
    CASE WHEN t.typname = 'varchar' AND a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 2147483647 END::int \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_type t ON t.oid = a.atttypid WHERE n.nspname = current_schema() AND a.attnum > 0 AND NOT a.attisdropped \
    AND c.relname IN ('objects', 'lists', 'ds_meta', 'ds_node', 'ds_epoch', 'ds_list', 'ds_block')";
const RIGHTS: &str = "SELECT current_user::text, coalesce(current_schema()::text, ''), \
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
const TABLE_RIGHTS: &str = "SELECT c.relname::text, pg_has_role(c.relowner, 'USAGE'), \
    has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relname IN ('objects', 'lists', 'ds_meta', 'ds_node', 'ds_epoch', 'ds_list', 'ds_block')";
const STORED_VERSION: &str = "SELECT value FROM ds_meta WHERE name = 'version'";

/// Takes a number only if the sequence is behind.
const ADVANCE: &str = "SELECT setval(s.name, m.listid) FROM pg_get_serial_sequence('lists', 'listid') AS s (name), \
    (SELECT max(listid)::int8 AS listid FROM lists) m, \
    pg_sequences q WHERE s.name IS NOT NULL AND q.schemaname = current_schema() AND format('%I.%I', q.schemaname, q.sequencename) = s.name \
    AND coalesce(q.last_value, 0) < m.listid";

/// In one transaction: all of it, or nothing. The trigger tells the nodes of changes by other programs, under the rights
/// of its owner. It waits for the end of a transaction, because the row of the epoch is locked from then on.
const TABLES: &str = "BEGIN; SET LOCAL lock_timeout = '3s';
    CREATE TABLE IF NOT EXISTS objects (path VARCHAR(255) PRIMARY KEY, contents BYTEA, created TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE IF NOT EXISTS lists (listid BIGSERIAL PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), created TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    ALTER TABLE objects ADD COLUMN IF NOT EXISTS ds_name BYTEA, ADD COLUMN IF NOT EXISTS ds_retired BYTEA;
    ALTER TABLE lists ADD COLUMN IF NOT EXISTS ds_path BYTEA, ADD COLUMN IF NOT EXISTS ds_objectid BYTEA;
    CREATE TABLE IF NOT EXISTS ds_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS ds_node (id TEXT PRIMARY KEY, batch BIGINT NOT NULL DEFAULT 0, fence BIGINT NOT NULL DEFAULT 0, late INT[] NOT NULL DEFAULT '{}', renewed TIMESTAMPTZ NOT NULL DEFAULT now(), leased BOOLEAN NOT NULL DEFAULT false) WITH (fillfactor = 50);
    CREATE TABLE IF NOT EXISTS ds_epoch (id INT PRIMARY KEY, epoch BIGINT NOT NULL) WITH (fillfactor = 50);
    INSERT INTO ds_epoch VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
    CREATE OR REPLACE FUNCTION ds_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN
      IF current_setting('ds.told', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        PERFORM set_config('ds.told', pg_current_xact_id()::text, true);
        UPDATE ds_epoch SET epoch = epoch + 1 WHERE id = 1;
        PERFORM pg_notify('ds_change_' || (SELECT relnamespace FROM pg_class WHERE oid = TG_RELID), (SELECT epoch FROM ds_epoch WHERE id = 1) || E'\\x1f\\x1f*');
      END IF;
      RETURN NULL;
    END $$;
    DROP TRIGGER IF EXISTS ds_changed ON objects;
    CREATE CONSTRAINT TRIGGER ds_changed AFTER UPDATE OR DELETE ON objects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (current_setting('ds.node', true) IS DISTINCT FROM 'yes') EXECUTE FUNCTION ds_changed();
    DROP TRIGGER IF EXISTS ds_emptied ON objects;
    CREATE TRIGGER ds_emptied AFTER TRUNCATE ON objects FOR EACH STATEMENT EXECUTE FUNCTION ds_changed();
    CREATE TABLE IF NOT EXISTS ds_list (path TEXT PRIMARY KEY, is_counted BOOLEAN NOT NULL DEFAULT false);
    CREATE TABLE IF NOT EXISTS ds_block (path TEXT NOT NULL, block BIGINT NOT NULL, items BIGINT NOT NULL);
    CREATE INDEX IF NOT EXISTS ds_block_path ON ds_block (path, block) INCLUDE (items);
    CREATE OR REPLACE FUNCTION ds_listed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM ds_block;
        RETURN NULL;
      END IF;
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO ds_block (path, block, items) SELECT l.path, g.listid::int8 >> 12, -count(*) FROM gone g JOIN ds_list l ON l.path = g.path GROUP BY 1, 2;
      END IF;
      IF TG_OP <> 'DELETE' THEN
        INSERT INTO ds_block (path, block, items) SELECT l.path, c.listid::int8 >> 12, count(*) FROM come c JOIN ds_list l ON l.path = c.path GROUP BY 1, 2;
      END IF;
      RETURN NULL;
    END $$;
    DROP TRIGGER IF EXISTS ds_item_added ON lists;
    CREATE TRIGGER ds_item_added AFTER INSERT ON lists REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION ds_listed();
    DROP TRIGGER IF EXISTS ds_item_removed ON lists;
    CREATE TRIGGER ds_item_removed AFTER DELETE ON lists REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ds_listed();
    DROP TRIGGER IF EXISTS ds_item_moved ON lists;
    CREATE TRIGGER ds_item_moved AFTER UPDATE ON lists REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION ds_listed();
    DROP TRIGGER IF EXISTS ds_lists_emptied ON lists;
    CREATE TRIGGER ds_lists_emptied AFTER TRUNCATE ON lists FOR EACH STATEMENT EXECUTE FUNCTION ds_listed();
    COMMIT";
const IS_INVALID: &str =
    "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1::text) AND NOT indisvalid";
/// The first of equal items keeps its place.
const REMOVE_DUPLICATES: &str = "DELETE FROM lists a USING lists b WHERE a.path = b.path AND a.objectid = b.objectid AND a.listid > b.listid";
const UNIQUE_ITEMS: (&str, &str) = (
    "ds_lists_item",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ds_lists_item ON lists (path, objectid)",
);
const PAGES: (&str, &str) = (
    "ds_lists_page",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ds_lists_page ON lists (path, listid DESC) INCLUDE (objectid)",
);
/// Number of attempts to build an index, because another process may write meanwhile.
const ATTEMPTS: usize = 5;

/// Longest time for the tables to be made.
const TABLES_LIMIT: Duration = Duration::from_secs(10);

type Outcome<T> = std::result::Result<T, Failure>;

/// Brings the tables to the current version. Creates missing tables only if `creates` is set.
pub async fn migrate(connector: &Connector, connection: &Connection, creates: bool) -> Outcome<()> {
    let problem = |problem| {
        Failure::Refused(StoreError::Unsuitable { name: Arc::clone(connector.name()), problem })
    };
    let columns = ask(connection, COLUMNS, &[]).await?;
    check_shape(&columns).map_err(problem)?;
    let has_meta = has_column(&columns, "ds_meta", "value");
    if has_meta {
        check_use(connection).await.map_err(|error| error.or_problem(problem))?;
    } else if !creates {
        return Err(problem(Problem::NoStore));
    }
    if !is_current(connection, has_meta).await.map_err(|error| error.or_problem(problem))? {
        check_rights(connection).await.map_err(|error| error.or_problem(problem))?;
        let is_locked = ask(connection, LOCK, &[]).await?.first().is_some_and(|row| row.get(0));
        if !is_locked {
            return Err(Failure::Again);
        }
        // Another node may have done it meanwhile.
        let columns = ask(connection, COLUMNS, &[]).await?;
        let has_meta = has_column(&columns, "ds_meta", "value");
        if !is_current(connection, has_meta).await.map_err(|error| error.or_problem(problem))? {
            // If it fails, the connection is given up, and with it the transaction and the lock.
            connection.execute_within(TABLES_LIMIT, "create tables", TABLES).await?;
            build(connection, UNIQUE_ITEMS, true).await?;
            build(connection, PAGES, false).await?;
            let version = format!(
                "INSERT INTO ds_meta VALUES ('version', '{VERSION}') ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value"
            );
            connection.execute_within(TABLES_LIMIT, "create tables", &version).await?;
        }
        ask(connection, UNLOCK, &[]).await?;
    }
    check_use(connection).await.map_err(|error| error.or_problem(problem))?;
    advance_sequence(connection).await
}

/// Brings the sequence of `lists` up to the rows, if it is behind them, as after a partial restore. A user who may not do
/// that can still use the store.
pub async fn advance_sequence(connection: &Connection) -> Outcome<()> {
    match ask(connection, ADVANCE, &[]).await {
        Err(Failure::Refused(_)) | Ok(_) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Builds an index while other processes write. A build that fails leaves an index that is not valid.
async fn build(connection: &Connection, (name, sql): (&str, &str), is_unique: bool) -> Outcome<()> {
    let mut attempts = ATTEMPTS;
    loop {
        if !ask(connection, IS_INVALID, &[&name]).await?.is_empty() {
            let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
            connection.execute("create an index", &drop).await?;
        }
        if is_unique {
            connection.execute("remove duplicate items", REMOVE_DUPLICATES).await?;
        }
        attempts -= 1;
        match connection.execute("create an index", sql).await {
            Err(Failure::Again) if attempts > 0 => {}
            other => return other,
        }
    }
}

async fn ask(
    connection: &Connection,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Outcome<Vec<Row>> {
    connection.query("look at the tables", sql, parameters).await
}

enum Found {
    Problem(Problem),
    Failure(Failure),
}

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Found {
    fn or_problem(self, to_failure: impl FnOnce(Problem) -> Failure) -> Failure {
        match self {
            Self::Problem(problem) => to_failure(problem),
            Self::Failure(failure) => failure,
        }
    }
}

async fn is_current(connection: &Connection, has_meta: bool) -> std::result::Result<bool, Found> {
    if !has_meta {
        return Ok(false);
    }
    let rows = ask(connection, STORED_VERSION, &[]).await?;
    let found = rows.first().and_then(|row| row.get::<_, String>(0).parse::<i32>().ok());
    match found {
        Some(found) if found > VERSION => {
            Err(Found::Problem(Problem::NewerTables { found, supported: VERSION }))
        }
        found => Ok(found == Some(VERSION)),
    }
}

async fn check_rights(connection: &Connection) -> std::result::Result<(), Found> {
    let rows = ask(connection, RIGHTS, &[]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (user, schema, may_create): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
    if !may_create {
        let right = format!("{user} may not create tables in the schema {schema} (CREATE)");
        return Err(Found::Problem(Problem::NoRight(right)));
    }
    for row in ask(connection, TABLE_RIGHTS, &[]).await? {
        let (table, owns): (String, bool) = (row.get(0), row.get(1));
        if !owns {
            let right = format!("{user} is not the owner of the table {table}, to which columns and indexes are added");
            return Err(Found::Problem(Problem::NoRight(right)));
        }
    }
    Ok(())
}

async fn check_use(connection: &Connection) -> std::result::Result<(), Found> {
    for row in ask(connection, TABLE_RIGHTS, &[]).await? {
        let (table, may_use): (String, bool) = (row.get(0), row.get(2));
        if !may_use {
            let right = format!("SELECT, INSERT, UPDATE and DELETE on the table {table}");
            return Err(Found::Problem(Problem::NoRight(right)));
        }
    }
    Ok(())
}

fn has_column(columns: &[Row], table: &str, column: &str) -> bool {
    columns.iter().any(|row| row.get::<_, &str>(0) == table && row.get::<_, &str>(1) == column)
}

/// Fails if one of the tables is there with other columns.
fn check_shape(columns: &[Row]) -> std::result::Result<(), Problem> {
    const TEXT: &[&str] = &["varchar", "text"];
    const EXPECTED: [(&str, &str, &[&str]); 8] = [
        ("objects", "path", TEXT),
        ("objects", "contents", &["bytea"]),
        ("lists", "listid", &["int8", "int4"]),
        ("lists", "path", TEXT),
        ("lists", "objectid", TEXT),
        ("ds_meta", "name", TEXT),
        ("ds_meta", "value", TEXT),
        ("ds_node", "id", TEXT),
    ];
    for (table, column, types) in EXPECTED {
        let mut of_table = columns.iter().filter(|row| row.get::<_, &str>(0) == table).peekable();
        if of_table.peek().is_none() {
            continue;
        }
        let found = of_table.find(|row| row.get::<_, &str>(1) == column);
        let Some(found) = found else {
            return Err(Problem::OtherTable(format!("{table} has no column {column}")));
        };
        let (kind, length): (&str, i32) = (found.get(2), found.get(3));
        if !types.contains(&kind) {
            return Err(Problem::OtherTable(format!("{table}.{column} is of the type {kind}")));
        }
        if kind == "varchar" && length < 255 {
            return Err(Problem::OtherTable(format!(
                "{table}.{column} takes only {length} characters"
            )));
        }
    }
    Ok(())
}
