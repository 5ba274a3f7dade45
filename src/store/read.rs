//! Reading images: one, its bytes, a page of them, the last one.

use std::time::Duration;

use bytes::Bytes;
use reql::{Command, r};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::Binary;
use super::error::StoreError;
use super::{Store, is_deleted, pool, without_bytes};
use crate::image::{ImageId, ImageMeta, ImageRecord, Timestamp};

/// How long the database may take to read one image.
const FILE_LIMIT: Duration = Duration::from_secs(30);

/// Larger than every id: they begin with hexadecimal digits.
pub(super) const ABOVE_ALL_IDS: &str = "g";

/// Smaller than every id.
pub(super) const BELOW_ALL_IDS: &str = "";

/// The length of time in which a page is looked for first.
const FIRST_SPAN_MS: u64 = 60_000;

/// How much longer the next is, if there were too few images in it.
const SPAN_GROWTH: u64 = 16;

/// How many more rows than the page holds the database may sort for it: as many as take no longer than a few questions.
const SORTED_IN_VAIN: usize = 2_000;

/// Which images to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// How many at most; at least 1.
    pub limit: usize,
    /// Only those that are older than this one, which need not exist any more.
    pub before: Option<ImageId>,
    /// Only those whose bytes have this SHA-256 (64 lower case hexadecimal digits).
    pub sha256: Option<String>,
}

/// Some images, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// At most as many as were asked for.
    pub images: Vec<ImageRecord>,
    /// The `before` with which the list goes on, if it does.
    pub next: Option<ImageId>,
}

impl Store {
    /// The record of an image, if it is on the board.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked, or holds something else under this id.
    pub async fn record(&self, id: ImageId) -> Result<Option<ImageRecord>, StoreError> {
        let row = self.placement_row(id).await?;
        if is_deleted(&row) {
            return Ok(None);
        }
        document(row, "placements")
    }

    /// An image and its bytes. Waits for its turn if many are being read.
    ///
    /// # Errors
    ///
    /// As [`Store::record`].
    pub async fn file(&self, id: ImageId) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
        self.to_the_end(|store| async move { store.file_now(id).await })
            .await
    }

    async fn file_now(&self, id: ImageId) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
        let row = self.image_row(id).await?;
        if is_deleted(&row) {
            return Ok(None);
        }
        let Some(meta) = document::<ImageMeta>(row, "images")? else {
            return Ok(None);
        };
        let _turn = self.inner.downloads.take(meta.size).await?;
        let file = self.images().get(id).get_field("file");
        let file = file.default(r.expr(()));
        let answer = self.pool().query_within(file, FILE_LIMIT).await?;
        // None: it was deleted since.
        let file: Option<Binary> = pool::only(answer)?;
        Ok(file.map(|file| (meta, file.0)))
    }

    /// The thumbnail of an image, if one is stored. Whether the image is on the board is another question.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn thumb(&self, id: ImageId) -> Result<Option<Bytes>, StoreError> {
        let thumb = self.images().get(id).get_field("thumb");
        let thumb: Option<Binary> = self.pool().value(thumb.default(r.expr(()))).await?;
        Ok(thumb.map(|thumb| thumb.0))
    }

    /// A page of the images on the board, the newest first.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked. Rows that are no images are left out.
    pub async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        // One more than is shown tells whether there is a next page.
        let wanted = query.limit.max(1) + 1;
        let mut before = match query.before {
            Some(id) => id.to_string(),
            None => ABOVE_ALL_IDS.to_owned(),
        };
        let mut images: Vec<ImageRecord> = Vec::new();
        while images.len() < wanted && before != BELOW_ALL_IDS {
            let lower = match &query.sha256 {
                Some(_) => BELOW_ALL_IDS.to_owned(),
                None => self.lower_bound(&before, wanted, SORTED_IN_VAIN).await?,
            };
            let mut rows = between(self.placements(), &lower, &before);
            if let Some(sha256) = &query.sha256 {
                rows = rows.filter(r.expr(json!({ "sha256": sha256 })));
            }
            let page = rows.order_by(r.desc("id")).limit(wanted as isize);
            let page: Vec<Value> = self.pool().value(page).await?;
            before = match page.last().and_then(|row| row["id"].as_str()) {
                Some(last) if page.len() == wanted => last.to_owned(),
                _ => lower,
            };
            images.extend(page.into_iter().filter_map(listed));
        }
        let more = images.len() >= wanted;
        images.truncate(wanted - 1);
        let next = images.last().map(|image| image.meta.id);
        Ok(Page {
            next: next.filter(|_| more),
            images,
        })
    }

    /// A bound below which `wanted` rows before `before` need not be looked for, found by counting. The range holds at
    /// most `in_vain` rows more, unless it is a single millisecond or all there is.
    ///
    /// The driver cannot ask for an index in descending order (it would have to send a term as an optional argument, and
    /// sends it as an array), so the database sorts what it is given, and refuses to sort 100,000 rows. Keys hold the
    /// time, and counting reads nothing but keys, so the range is narrowed to little more than the page.
    pub(super) async fn lower_bound(
        &self,
        before: &str,
        wanted: usize,
        in_vain: usize,
    ) -> Result<String, StoreError> {
        let until = Uuid::try_parse(before).map_or_else(|_| now_ms(), id_ms);
        let (mut too_short, mut too_long, mut span) = (0, None, FIRST_SPAN_MS);
        loop {
            let bound = match until.checked_sub(span) {
                Some(from) => first_id(from),
                None => BELOW_ALL_IDS.to_owned(),
            };
            let rows = r.count(between(self.placements(), &bound, before));
            let rows: usize = self.pool().value(rows).await?;
            if rows < wanted && bound != BELOW_ALL_IDS {
                too_short = span;
            } else if rows > wanted + in_vain && span - too_short > 1 {
                too_long = Some(span);
            } else {
                return Ok(bound);
            }
            span = match too_long {
                None => span.saturating_mul(SPAN_GROWTH),
                Some(too_long) => too_short + (too_long - too_short).div_ceil(2),
            };
        }
    }

    /// The image that was saved last, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Store::record`].
    pub async fn latest(&self) -> Result<Option<ImageMeta>, StoreError> {
        // Of a table, and without an argument, it is the row with the largest key, which is looked up.
        let newest = without_bytes(r.max(self.images()));
        let row: Value = match self.pool().value(newest).await {
            // "`max` found no entries in the specified index.", which `default` does not catch.
            Err(StoreError::Refused(message)) if message.contains("found no entries") => {
                return Ok(None);
            }
            row => row?,
        };
        if !is_deleted(&row) {
            return document(row, "images");
        }
        let one = ListQuery {
            limit: 1,
            before: None,
            sha256: None,
        };
        let mut page = self.list(one).await?;
        Ok(page.images.pop().map(|image| image.meta))
    }

    /// The row of `placements`, or null.
    pub(super) async fn placement_row(&self, id: ImageId) -> Result<Value, StoreError> {
        self.pool().value(self.placements().get(id)).await
    }

    /// The row of `images` without the bytes, or null.
    pub(super) async fn image_row(&self, id: ImageId) -> Result<Value, StoreError> {
        let row = without_bytes(self.images().get(id)).default(r.expr(()));
        self.pool().value(row).await
    }
}

/// The rows from `lower` (inclusive) to `before` (exclusive).
pub(super) fn between(table: Command, lower: &str, before: &str) -> Command {
    table.between(r.args((lower, before)))
}

/// A document of ours, or none for null.
pub(super) fn document<T: DeserializeOwned>(
    row: Value,
    table: &str,
) -> Result<Option<T>, StoreError> {
    if row.is_null() {
        return Ok(None);
    }
    let id = row["id"].as_str().unwrap_or_default().to_owned();
    serde_json::from_value(row)
        .map(Some)
        .map_err(|error| StoreError::corrupt(&format!("{table} {id:?}"), &error))
}

fn listed(row: Value) -> Option<ImageRecord> {
    if is_deleted(&row) {
        return None;
    }
    document(row, "placements").unwrap_or_else(|error| {
        log::warn!("left out of a list: {error}");
        None
    })
}

/// The smallest text with which an id of this millisecond or later can begin.
pub(super) fn first_id(ms: u64) -> String {
    let digits = format!("{ms:012x}");
    format!("{}-{}", &digits[..8], &digits[8..])
}

/// The time that a UUIDv7 holds.
fn id_ms(id: Uuid) -> u64 {
    // The first 48 bits, by RFC 9562; the rest is shifted out.
    (id.as_u128() >> 80) as u64
}

fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_time_is_below_all_its_ids_and_above_earlier_ones() {
        let ms = 0x0194_bd2c_7a00;
        let first = first_id(ms);
        assert_eq!(first, "0194bd2c-7a00");
        assert!(first.as_str() < "0194bd2c-7a00-7000-8000-000000000000");
        assert!(first.as_str() > "0194bd2c-79ff-7fff-bfff-ffffffffffff");
        let id = "0194bd2c-7a00-7000-8000-000000000000";
        assert_eq!(id_ms(id.parse().unwrap()), ms);
    }

    #[test]
    fn a_row_that_is_no_image_is_named_but_not_quoted() {
        let row = json!({"id": "x", "fileName": "secret"});
        let error = document::<ImageRecord>(row, "placements").unwrap_err();
        assert!(error.to_string().contains(r#"placements "x""#), "{error}");
        assert!(!error.to_string().contains("secret"));
        assert_eq!(document::<ImageRecord>(Value::Null, "placements"), Ok(None));
    }
}
