//! Pages of the images on the board, newest first.

use reql::r;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::image::{ImageId, ImageRecord, Timestamp};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys::{ABOVE_ALL_IDS, BELOW_ALL_IDS, between, first_id, id_ms};
use crate::store::rows::{document, is_deleted};

/// Span of time, in milliseconds, in which a page is searched first.
const FIRST_SPAN_MS: u64 = 60_000;

/// Factor by which the span grows while it contains too few images.
const SPAN_GROWTH: u64 = 16;

/// Rows beyond a page that the database may sort. Sorting this many takes about as long as the queries that would narrow the
/// span further.
const MAX_EXCESS_ROWS: usize = 2_000;

/// Selects the images that [`Store::list`] returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Maximum number of images, at least 1.
    pub limit: usize,
    /// Only images older than this one, which need not exist any more.
    pub before: Option<ImageId>,
    /// Only images with this SHA-256 (64 lower case hexadecimal digits).
    pub sha256: Option<String>,
}

/// A page of images, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// At most [`ListQuery::limit`] images.
    pub images: Vec<ImageRecord>,
    /// [`ListQuery::before`] of the next page; `None` on the last page.
    pub next: Option<ImageId>,
}

impl Store {
    /// Returns a page of the images on the board, newest first. Invalid rows are omitted and logged.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        // The extra image tells if there is a next page.
        let wanted = query.limit.max(1) + 1;
        let mut before = match query.before {
            Some(id) => id.to_string(),
            None => ABOVE_ALL_IDS.to_owned(),
        };
        let mut images: Vec<ImageRecord> = Vec::new();
        while images.len() < wanted && before != BELOW_ALL_IDS {
            let lower = match &query.sha256 {
                Some(_) => BELOW_ALL_IDS.to_owned(),
                None => self.lower_bound(&before, wanted, MAX_EXCESS_ROWS).await?,
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
        let has_more = images.len() >= wanted;
        images.truncate(wanted - 1);
        let next = images.last().map(|image| image.meta.id);
        Ok(Page {
            next: next.filter(|_| has_more),
            images,
        })
    }

    /// Finds a lower bound for the keys of the next `wanted` rows below `before`, by counting. The range contains at most
    /// `max_excess` rows more, unless it is a single millisecond or the rest of the table.
    ///
    /// The driver cannot order by an index in descending order (it sends the optional argument as an array), so the database
    /// sorts the rows of the range, and it refuses to sort 100,000. Keys contain the time and counting reads only keys, so
    /// the range can be narrowed to little more than a page.
    pub(crate) async fn lower_bound(
        &self,
        before: &str,
        wanted: usize,
        max_excess: usize,
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
            } else if rows > wanted + max_excess && span - too_short > 1 {
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
}

fn listed(row: Value) -> Option<ImageRecord> {
    if is_deleted(&row) {
        return None;
    }
    document(row, "placements").unwrap_or_else(|error| {
        log::warn!("omitted from a list: {error}");
        None
    })
}

fn now_ms() -> u64 {
    u64::try_from(Timestamp::now().as_millis()).unwrap_or_default()
}
