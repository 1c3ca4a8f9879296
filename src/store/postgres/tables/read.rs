//! Statements that read, and scans of everything, page by page.

use crate::record::stale::Fingerprint;
use crate::store::contents::Contents;
use crate::store::error::Result;
use crate::store::findings::Findings;
use crate::store::follow::Follow;
use crate::store::key::{Key, ListPath};
use crate::store::postgres::link::connection::Connection;
use crate::store::postgres::link::errors::Failure;
use crate::store::postgres::link::pool::{Lane, Pool};
use crate::store::postgres::tables::blocks::{Blocks, LONG};
use crate::store::postgres::tables::names::{self, Name};
use crate::store::scan::{Parts, Records, PAGE_BYTES};
use std::collections::HashMap;
use std::time::Duration;
use tokio_postgres::Row;

const RECORDS: &str = "SELECT path, contents, ds_retired FROM objects WHERE path = ANY($1)";
/// The second record is found by the first one's text, if that is not encrypted.
const FOLLOWING: &str = "SELECT o.contents, o.ds_retired, f.path, f.contents, f.ds_retired FROM objects o \
    LEFT JOIN objects f ON f.path = $2::text || substring(encode(o.contents, 'escape') from $3::text) WHERE o.path = $1";
/// The directory of a long list ([`super::blocks`]) knows its length. The second column says whether the list has one.
const COUNT: &str = "SELECT CASE WHEN l.path IS NULL THEN (SELECT count(*) FROM lists WHERE path = $1) \
    ELSE (SELECT coalesce(sum(items), 0)::int8 FROM ds_block WHERE path = $1) END, l.path IS NOT NULL \
    FROM (SELECT 1) one LEFT JOIN ds_list l ON l.path = $1 AND l.is_counted";
const HAS: &str = "SELECT 1 FROM lists WHERE path = $1 AND objectid = $2";
const PAGE: &str = "SELECT coalesce(objectid, ''), ds_objectid FROM lists WHERE path = $1 ORDER BY listid DESC OFFSET $2::int8 LIMIT $3::int8";
/// A page far from the beginning. Skips whole blocks by the directory if the list has one, then items by the index alone.
const FAR_PAGE: &str = "
WITH listed AS MATERIALIZED (
  SELECT FROM ds_list WHERE path = $1 AND is_counted
), start AS MATERIALIZED (
  SELECT block, skipped FROM (
    SELECT block, (sum(sum(items)) OVER (ORDER BY block DESC))::int8 AS skipped FROM ds_block WHERE path = $1 GROUP BY block
  ) blocks WHERE skipped <= $2::int8 AND EXISTS (SELECT FROM listed) ORDER BY block LIMIT 1
), first AS MATERIALIZED (
  SELECT listid FROM lists WHERE path = $1 AND listid < coalesce((SELECT block << 12 FROM start), 9223372036854775807)
    ORDER BY listid DESC OFFSET $2::int8 - coalesce((SELECT skipped FROM start), 0) LIMIT 1
)
SELECT coalesce(objectid, ''), ds_objectid, EXISTS (SELECT FROM listed) FROM lists
  WHERE path = $1 AND listid <= (SELECT listid FROM first) ORDER BY listid DESC LIMIT $3::int8";
const PAGE_BEFORE: &str = "SELECT listid::int8, coalesce(objectid, ''), ds_objectid FROM lists WHERE path = $1 AND listid < $2::int8 ORDER BY listid DESC LIMIT $3";
/// Ends after the record that reaches the size of a page. The size of contents is known without reading them.
const SCAN: &str = "SELECT path, ds_name, contents, ds_retired FROM (
    SELECT *, sum(octet_length(contents)) OVER (ORDER BY path ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (
      SELECT path, ds_name, contents, ds_retired FROM objects WHERE path > $1 ORDER BY path LIMIT $2
    ) rows
  ) page WHERE coalesce(before, 0) < 1048576 ORDER BY path";
const SCAN_LISTS: &str =
    "SELECT path, ds_path, coalesce(objectid, ''), ds_objectid, listid::int8 FROM lists \
    WHERE (path, listid) > ($1, $2::int8) ORDER BY path, listid LIMIT $3";
/// With indexes, and with contents that are stored apart.
const SIZE: &str = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8 FROM pg_class c \
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r' \
    AND (c.relname IN ('objects', 'lists') OR c.relname LIKE 'ds\\_%')";
const COUNT_LISTS: &str = "SELECT count(DISTINCT path), count(*) FROM lists";

/// Largest number of records or items that a scan asks for at a time.
const SCANNED: i64 = 500;
/// Length of a page that is read beside look-ups.
const SHORT_PAGE: u64 = 1000;
/// Offset up to which a page simply skips items.
const NEAR: u64 = 100;

/// Contents of a record from its columns. A null, which another engine may have written, is an empty record.
fn contents(bytes: Option<&[u8]>, retired: Option<&[u8]>) -> Contents {
    let retired: &[Fingerprint] = retired.unwrap_or_default().as_chunks().0;
    Contents::new(bytes.unwrap_or_default().into(), retired.into())
}

/// Returns the records at `keys`. A key without a record is missing in the result.
pub async fn records(pool: &Pool, keys: &[Key]) -> Result<HashMap<Key, Contents>> {
    let by_text = by_text(keys);
    let texts: Vec<&str> = by_text.keys().map(String::as_str).collect();
    let rows = pool.query(Lane::Gated, RECORDS, &[&texts]).await?;
    Ok(found(by_text, &rows))
}

/// As [`records`], by one connection, and fails after `limit`.
pub async fn records_by(
    connection: &Connection,
    limit: Duration,
    keys: &[Key],
) -> std::result::Result<HashMap<Key, Contents>, Failure> {
    let by_text = by_text(keys);
    let texts: Vec<&str> = by_text.keys().map(String::as_str).collect();
    let rows = connection.query_within(limit, "read", RECORDS, &[&texts]).await?;
    Ok(found(by_text, &rows))
}

fn by_text(keys: &[Key]) -> HashMap<String, Key> {
    keys.iter().map(|key| (names::text_of(key), key.clone())).collect()
}

fn found(mut by_text: HashMap<String, Key>, rows: &[Row]) -> HashMap<Key, Contents> {
    let found = rows.iter().filter_map(|row| {
        let key = by_text.remove(row.get::<_, &str>(0))?;
        Some((key, contents(row.get(1), row.get(2))))
    });
    found.collect()
}

/// Returns the record at `key`, and the one that it names.
pub async fn following(
    pool: &Pool,
    key: &Key,
    follow: &Follow,
) -> Result<(Option<Contents>, Option<(Key, Contents)>)> {
    let Ok(prefix) = std::str::from_utf8(&follow.prefix) else {
        return Ok((records(pool, std::slice::from_ref(key)).await?.remove(key), None));
    };
    let pattern = format!("\"{}\":\"([A-Za-z0-9_-]+)\"", follow.property);
    let rows =
        pool.query(Lane::Gated, FOLLOWING, &[&names::text_of(key), &prefix, &pattern]).await?;
    let Some(row) = rows.first() else { return Ok((None, None)) };
    let second = row
        .get::<_, Option<&str>>(2)
        .map(|path| (Key::record(path.as_bytes()), contents(row.get(3), row.get(4))));
    Ok((Some(contents(row.get(0), row.get(1))), second))
}

/// Returns the number of items in a list.
pub async fn count(pool: &Pool, blocks: &Blocks, path: &ListPath) -> Result<u64> {
    let path = Name::new(path.bytes()).text;
    let rows = pool.query(Lane::LookUp, COUNT, &[&path]).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let count = u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
    if count > LONG && !row.get::<_, bool>(1) {
        blocks.found_long(path);
    }
    Ok(count)
}

/// Returns whether a list has an item.
pub async fn has(pool: &Pool, path: &ListPath, item: &[u8]) -> Result<bool> {
    let parameters = (Name::new(path.bytes()).text, Name::new(item).text);
    let rows = pool.query(Lane::LookUp, HAS, &[&parameters.0, &parameters.1]).await?;
    Ok(!rows.is_empty())
}

/// Returns a page of a list, newest items first.
pub async fn page(
    pool: &Pool,
    blocks: &Blocks,
    path: &ListPath,
    offset: u64,
    size: u64,
) -> Result<Vec<Contents>> {
    let lane = if size > SHORT_PAGE { Lane::Scan } else { Lane::LookUp };
    let path = Name::new(path.bytes()).text;
    let [skipped, size] = [offset, size].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let sql = if offset > NEAR { FAR_PAGE } else { PAGE };
    let rows = pool.query(lane, sql, &[&path, &skipped, &size]).await?;
    if offset > LONG && rows.first().is_some_and(|row| !row.get::<_, bool>(2)) {
        blocks.found_long(path);
    }
    Ok(rows.iter().map(|row| names::bytes(row.get(0), row.get(1)).into()).collect())
}

/// Returns at most `count` items of a list whose `listid` is below `sequence`, with it, newest items first.
pub async fn page_before(
    pool: &Pool,
    path: &ListPath,
    sequence: Option<u64>,
    count: u64,
) -> Result<Vec<(u64, Contents)>> {
    let lane = if count > SHORT_PAGE { Lane::Scan } else { Lane::LookUp };
    let [before, count] = [sequence.unwrap_or(u64::MAX), count]
        .map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let path = Name::new(path.bytes()).text;
    let rows = pool.query(lane, PAGE_BEFORE, &[&path, &before, &count]).await?;
    let item = |row: &Row| {
        let sequence = u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
        (sequence, names::bytes(row.get(1), row.get(2)).into())
    };
    Ok(rows.iter().map(item).collect())
}

/// Returns at most `count` records after the key `after`, in the order of the database. It asks for `scanned` at a time.
pub async fn records_after(
    pool: &Pool,
    after: Option<&Key>,
    count: usize,
    scanned: usize,
) -> Result<Records> {
    // Their contents come along.
    let scanned = i64::try_from(scanned).map_or(SCANNED, |scanned| scanned.min(SCANNED));
    let mut page = Records::default();
    let mut last = after.map(names::text_of).unwrap_or_default();
    let mut bytes = 0;
    loop {
        let rows = pool.query(Lane::Scan, SCAN, &[&last, &scanned]).await?;
        if rows.is_empty() {
            return Ok(page);
        }
        for row in rows {
            last = row.get(0);
            let name = names::bytes(last.clone(), row.get(1));
            let (key, contents) = (Key::record(&name), contents(row.get(2), row.get(3)));
            bytes += key.size() + contents.len();
            page.records.push((key.clone(), contents));
            if page.records.len() >= count || bytes >= PAGE_BYTES {
                page.next = Some(key);
                return Ok(page);
            }
        }
    }
}

/// Returns parts of the lists after the item at `after`.
pub async fn parts_after(pool: &Pool, after: Option<(&ListPath, u64)>) -> Result<Parts> {
    let mut page = Parts::default();
    let (mut path, mut last) = after.map_or_else(
        || (String::new(), i64::MIN),
        |(path, last)| (Name::new(path.bytes()).text, i64::try_from(last).unwrap_or(i64::MAX)),
    );
    loop {
        let rows = pool.query(Lane::Scan, SCAN_LISTS, &[&path, &last, &SCANNED]).await?;
        if rows.is_empty() {
            page.is_end = true;
            return Ok(page);
        }
        for row in &rows {
            if page.is_full() {
                return Ok(page);
            }
            (path, last) = (row.get(0), row.get(4));
            let of_list = ListPath::new(&names::bytes(path.clone(), row.get(1)));
            let item = names::bytes(row.get(2), row.get(3));
            page.add(&of_list.head(), u64::try_from(last).unwrap_or_default(), item.into());
        }
    }
}

/// Returns the number of lists, and the number of their items.
pub async fn list_counts(pool: &Pool) -> Result<(u64, u64, Findings)> {
    let rows = pool.query(Lane::Scan, COUNT_LISTS, &[]).await?;
    let number =
        |row: &Row, column: usize| u64::try_from(row.get::<_, i64>(column)).unwrap_or_default();
    let counts = rows.first().map(|row| (number(row, 0), number(row, 1)));
    let (lists, items) = counts.unwrap_or_default();
    Ok((lists, items, Findings::default()))
}

/// Returns the size of the tables on the disk of one server, in bytes.
pub async fn size(pool: &Pool) -> Result<u64> {
    let rows = pool.query(Lane::LookUp, SIZE, &[]).await?;
    let size = rows.first().map(|row| row.get::<_, i64>(0)).unwrap_or_default();
    Ok(u64::try_from(size).unwrap_or_default())
}
