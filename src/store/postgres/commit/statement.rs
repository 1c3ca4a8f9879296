//! One statement that makes the computed changes of a batch.

use crate::store::contents::Contents;
use crate::store::postgres::commit::rows::ItemChange;
use crate::store::postgres::commit::transaction::Transaction;
use crate::store::postgres::lease::{EVERYTHING, SEPARATOR};
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::tables::names::Name;
use std::sync::LazyLock;
use tokio_postgres::types::ToSql;

/// Rows are locked in the order of their paths, so that nodes wait for each other instead of in a circle. A group with
/// a row that is not as it was read is late. The changes of the others are made, unless the batch is fenced off.
///
/// The kinds of rows: 0 was not read, 1 was not there, 2 was there with these contents, 3 as well, and it stays as it is.
const RECORDS: &str = "
WITH puts AS MATERIALIZED (
  SELECT * FROM unnest($4::int[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::int[], $10::bytea[], $11::bytea[])
    AS t (grp, path, name, contents, retired, kind, old, old_retired)
), held AS MATERIALIZED (
  SELECT o.path, o.contents, o.ds_retired FROM objects o WHERE o.path = ANY($5::text[]) ORDER BY o.path FOR UPDATE
), late AS MATERIALIZED (
  SELECT DISTINCT p.grp FROM puts p LEFT JOIN held h ON h.path = p.path
    WHERE (p.kind = 1 AND h.path IS NOT NULL)
      OR (p.kind >= 2 AND (h.path IS NULL OR coalesce(h.contents, '') <> p.old OR coalesce(h.ds_retired, '') <> coalesce(p.old_retired, '')))
), node AS MATERIALIZED (
  UPDATE ds_node SET batch = $2, late = ARRAY(SELECT grp FROM late), renewed = now() WHERE id = $1 AND fence < $2 RETURNING id
), fit AS MATERIALIZED (
  SELECT p.* FROM puts p WHERE EXISTS (SELECT FROM node) AND p.grp NOT IN (SELECT grp FROM late)
), removed AS (
  DELETE FROM objects o USING fit WHERE o.path = fit.path AND fit.kind < 3 AND fit.contents IS NULL RETURNING 1
), changed AS (
  UPDATE objects o SET contents = fit.contents, ds_name = fit.name, ds_retired = fit.retired
    FROM fit WHERE o.path = fit.path AND fit.kind = 2 AND fit.contents IS NOT NULL RETURNING 1
), created AS (
  INSERT INTO objects (path, contents, ds_name, ds_retired)
    SELECT path, contents, name, retired FROM fit WHERE kind = 1 AND contents IS NOT NULL ORDER BY path
    RETURNING 1
), written AS (
  INSERT INTO objects (path, contents, ds_name, ds_retired)
    SELECT path, contents, name, retired FROM fit WHERE kind = 0 AND contents IS NOT NULL ORDER BY path
    ON CONFLICT (path) DO UPDATE SET contents = EXCLUDED.contents, ds_name = EXCLUDED.ds_name, ds_retired = EXCLUDED.ds_retired
    RETURNING 1
), ";
const LISTS: &str = "items AS MATERIALIZED (
  SELECT * FROM unnest($12::int[], $13::text[], $14::bytea[], $15::text[], $16::bytea[], $17::int[])
    WITH ORDINALITY AS t (grp, path, full_path, item, full_item, change, position)
), fit_items AS MATERIALIZED (
  SELECT i.* FROM items i WHERE EXISTS (SELECT FROM node) AND i.grp NOT IN (SELECT grp FROM late)
), taken AS (
  DELETE FROM lists l USING fit_items i WHERE l.path = i.path AND l.objectid = i.item AND i.change = 1 RETURNING 1
), added AS (
  INSERT INTO lists (path, objectid, ds_path, ds_objectid)
    SELECT path, item, full_path, full_item FROM fit_items WHERE change = 0 ORDER BY path, position
    ON CONFLICT (path, objectid) DO NOTHING RETURNING 1
), moved AS (
  INSERT INTO lists (path, objectid, ds_path, ds_objectid)
    SELECT path, item, full_path, full_item FROM fit_items WHERE change = 2 ORDER BY path, position
    ON CONFLICT (path, objectid) DO UPDATE SET listid = EXCLUDED.listid RETURNING 1
), quarantined AS (
  INSERT INTO ds_meta SELECT 'quarantine', '' WHERE $18::int = 1 AND EXISTS (SELECT FROM node) ON CONFLICT (name) DO NOTHING
), released AS (
  DELETE FROM ds_meta WHERE $18::int = 2 AND name = 'quarantine' AND EXISTS (SELECT FROM node)
), ";
const MADE: &str = "made AS (
  SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM changed) + (SELECT count(*) FROM created)
    + (SELECT count(*) FROM written)";
const MADE_LISTS: &str = " + (SELECT count(*) FROM taken) + (SELECT count(*) FROM added)
    + (SELECT count(*) FROM moved)";
/// Last, because all nodes meet there: the epoch is raised, and the other nodes are told which records have changed.
const TOLD: &str = " AS rows
), epoch AS (
  UPDATE ds_epoch SET epoch = epoch + 1 FROM made
    WHERE id = 1 AND made.rows >= 0 AND $3::text <> '' AND EXISTS (SELECT FROM node) RETURNING epoch
), told AS (
  SELECT pg_notify('ds_change_' || (SELECT oid FROM pg_namespace WHERE nspname = current_schema()), epoch.epoch || E'\\x1f' || $1 || E'\\x1f' || $3) FROM epoch
)
SELECT ARRAY(SELECT grp FROM late), EXISTS (SELECT FROM node), (SELECT count(*) FROM told), (SELECT epoch FROM epoch)";

/// Most batches change records alone. To leave out the rest saves the server a part of its time.
static COMMIT_RECORDS: LazyLock<String> = LazyLock::new(|| [RECORDS, MADE, TOLD].concat());
static COMMIT: LazyLock<String> =
    LazyLock::new(|| [RECORDS, LISTS, MADE, MADE_LISTS, TOLD].concat());

/// Prepares the statements, so that a later call sends its own at once.
pub async fn prepare(connection: &Connection) -> Result<(), Failure> {
    connection.prepare("make a change", &COMMIT_RECORDS).await?;
    connection.prepare("make a change", &COMMIT).await
}

/// The effect of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// Everything but these groups; and the epoch, if other nodes were told.
    Except(Vec<i32>, Option<i64>),
    /// Nothing: the batch was fenced off, or the row of this store is gone.
    Fenced,
}

/// Makes the changes of `transaction` as the batch `batch` of the store `node`.
pub async fn commit(
    connection: &Connection,
    node: &str,
    batch: i64,
    transaction: &Transaction,
) -> Result<Done, Failure> {
    let group = |request| i32::try_from(transaction.group(request)).unwrap_or(i32::MAX);
    let mut records = Records::default();
    let mut rows: Vec<_> = transaction
        .records()
        .map(|(key, row)| (Name::new(key.name().unwrap_or_default()), key, row))
        .collect();
    rows.sort_by(|(one, ..), (other, ..)| one.text.cmp(&other.text));
    for (name, key, row) in &rows {
        let stored = transaction.stored(key);
        records.groups.push(group(row.request));
        records.paths.push(&name.text);
        records.names.push(name.full.as_deref());
        let contents = row.contents.as_ref().filter(|_| !row.is_kept);
        records.contents.push(contents.map(|contents| &**contents));
        records.retired.push(contents.and_then(retired));
        let (kind, old) = match stored {
            _ if !row.is_computed => (0, None),
            None => (1, None),
            Some(stored) => (if row.is_kept { 3 } else { 2 }, Some(stored)),
        };
        records.kinds.push(kind);
        records.may_be_known.push(transaction.may_be_known(key, row));
        records.old.push(old.map(|old| &**old));
        records.old_retired.push(old.and_then(retired));
    }
    let mut items: Vec<_> = transaction.items().collect();
    items.sort_by_key(|(_, row)| row.position);
    let items: Vec<_> = items
        .into_iter()
        .map(|((path, item), row)| (Name::new(path), Name::new(item), row))
        .collect();
    let item_groups: Vec<_> = items.iter().map(|(.., row)| group(row.request)).collect();
    let paths: Vec<_> = items.iter().map(|(path, ..)| path.text.as_str()).collect();
    let full_paths: Vec<_> = items.iter().map(|(path, ..)| path.full.as_deref()).collect();
    let names: Vec<_> = items.iter().map(|(_, item, _)| item.text.as_str()).collect();
    let full_names: Vec<_> = items.iter().map(|(_, item, _)| item.full.as_deref()).collect();
    let changes: Vec<i32> = items
        .iter()
        .map(|(.., row)| match row.change {
            ItemChange::Added => 0,
            ItemChange::Removed => 1,
            ItemChange::Moved => 2,
        })
        .collect();
    let quarantine: i32 = match transaction.quarantine() {
        None => 0,
        Some(quarantine) if quarantine.is_set => 1,
        Some(_) => 2,
    };
    let told = told(&records);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
        &node,
        &batch,
        &told,
        &records.groups,
        &records.paths,
        &records.names,
        &records.contents,
        &records.retired,
        &records.kinds,
        &records.old,
        &records.old_retired,
    ];
    let has_lists = !items.is_empty() || quarantine != 0;
    if has_lists {
        let of_lists: [&(dyn ToSql + Sync); 7] =
            [&item_groups, &paths, &full_paths, &names, &full_names, &changes, &quarantine];
        parameters.extend(of_lists);
    }
    let sql = if has_lists { &COMMIT } else { &COMMIT_RECORDS };
    let rows = connection.query("make a change", sql, &parameters).await?;
    Ok(match rows.first() {
        Some(row) if row.get::<_, bool>(1) => Done::Except(row.get(0), row.get(3)),
        _ => Done::Fenced,
    })
}

/// Longest list of changed records that is sent to other nodes, in bytes. A notification of PostgreSQL has less than
/// 8000.
const LONGEST_TOLD: usize = 7000;
/// Returns the paths of the records that other nodes may know.
fn told(records: &Records<'_>) -> String {
    let changed =
        records.paths.iter().zip(&records.may_be_known).filter(|(_, is_known)| **is_known);
    let mut told = String::new();
    for (path, _) in changed {
        if path.contains(SEPARATOR) || told.len() + path.len() > LONGEST_TOLD {
            return EVERYTHING.into();
        }
        if !told.is_empty() {
            told.push(SEPARATOR);
        }
        told.push_str(path);
    }
    told
}

/// Columns of the rows to write.
#[derive(Default)]
struct Records<'a> {
    groups: Vec<i32>,
    paths: Vec<&'a str>,
    names: Vec<Option<&'a [u8]>>,
    contents: Vec<Option<&'a [u8]>>,
    retired: Vec<Option<&'a [u8]>>,
    kinds: Vec<i32>,
    may_be_known: Vec<bool>,
    old: Vec<Option<&'a [u8]>>,
    old_retired: Vec<Option<&'a [u8]>>,
}

/// Returns the fingerprints of retired values, if there are any.
fn retired(contents: &Contents) -> Option<&[u8]> {
    let retired = contents.retired();
    (!retired.is_empty()).then_some(retired.as_flattened())
}
