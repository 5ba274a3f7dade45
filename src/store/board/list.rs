//! Pages of the images on a board, newest first: by the time of the upload, then by id.

use reql::cmd::between;
use reql::{Command, r};
use serde_json::{Value, json};

use super::Board;
use crate::image::{ImageId, ImageRecord, Timestamp};
use crate::store::error::StoreError;
use crate::store::limits::BoardUsage;
use crate::store::rows::{document, is_deleted};
use crate::store::tables::TIMELINE_INDEX;

/// The first span of time, in milliseconds, that is searched for a page.
const FIRST_SPAN_MS: i64 = 60_000;

/// Factor by which the span grows while it contains too few images.
const SPAN_GROWTH: i64 = 16;

/// Rows beyond a page that the database may sort. Sorting this many takes about as long as the queries that would
/// narrow the span further.
const MAX_EXCESS_ROWS: usize = 2_000;

/// Selects the images that [`Board::list`] returns.
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

/// A position in the timeline of a board: the key of the index, without the board.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Time of the upload, as text. Texts of one length sort like the times.
    created_at: String,
    id: String,
}

impl Position {
    /// Below every image.
    fn start() -> Self {
        Self {
            created_at: String::new(),
            id: String::new(),
        }
    }

    /// Above every image: times start with a digit.
    fn end() -> Self {
        Self {
            created_at: "a".to_owned(),
            id: String::new(),
        }
    }

    /// Below every image added at `ms` milliseconds since 1970, or later.
    pub(crate) fn at(ms: i64) -> Self {
        Self {
            created_at: Timestamp::from_millis(ms).to_string(),
            id: String::new(),
        }
    }

    /// The position of a row; `None` if another application wrote it.
    fn of(row: &Value) -> Option<Self> {
        Some(Self {
            created_at: row["createdAt"].as_str()?.to_owned(),
            id: row["id"].as_str()?.to_owned(),
        })
    }

    fn ms(&self) -> Option<i64> {
        let created_at: Timestamp = self.created_at.parse().ok()?;
        Some(created_at.as_millis())
    }
}

impl Board {
    /// Returns a page of the images on the board, newest first. Invalid rows are omitted and logged.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn list(&self, query: ListQuery) -> Result<Page, StoreError> {
        // The extra image shows whether there is a next page.
        let wanted = query.limit.max(1) + 1;
        let mut before = match query.before {
            Some(id) => self.position_of(id).await?,
            None => Position::end(),
        };
        let mut images: Vec<ImageRecord> = Vec::new();
        while images.len() < wanted && before != Position::start() {
            let lower = match &query.sha256 {
                Some(_) => Position::start(),
                None => self.lower_bound(&before, wanted, MAX_EXCESS_ROWS).await?,
            };
            let mut rows = self.between(&lower, &before);
            if let Some(sha256) = &query.sha256 {
                rows = rows.filter(r.expr(json!({ "sha256": sha256 })));
            }
            // The second sort is stable: images of the same time stay in the order of their ids.
            let page = rows.order_by(r.desc("id")).order_by(r.desc("createdAt"));
            let page: Vec<Value> = self.store.pool().value(page.limit(wanted as isize)).await?;
            before = match page.last().and_then(Position::of) {
                Some(last) if page.len() == wanted => last,
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

    /// Finds a lower bound for the next `wanted` rows below `before`, by counting. The range contains at most
    /// `max_excess` rows more, unless it is a single millisecond or the rest of the board.
    ///
    /// The driver cannot order by an index in descending order (it sends the optional argument as an array), so the
    /// database sorts the rows of the range, and it refuses to sort 100,000. Counting reads only the index, so the
    /// range can be narrowed to little more than a page.
    pub(crate) async fn lower_bound(
        &self,
        before: &Position,
        wanted: usize,
        max_excess: usize,
    ) -> Result<Position, StoreError> {
        let until = before
            .ms()
            .unwrap_or_else(|| Timestamp::now().as_millis())
            .max(0);
        let (mut too_short, mut too_long, mut span) = (0, None, FIRST_SPAN_MS);
        loop {
            let bound = match until.checked_sub(span) {
                Some(from @ 0..) => Position::at(from),
                _ => Position::start(),
            };
            let rows = r.count(self.between(&bound, before));
            let rows: usize = self.store.pool().value(rows).await?;
            if rows < wanted && bound != Position::start() {
                too_short = span;
            } else if rows > wanted + max_excess && span - too_short > 1 {
                too_long = Some(span);
            } else {
                return Ok(bound);
            }
            span = match too_long {
                None => span.saturating_mul(SPAN_GROWTH),
                Some(too_long) => too_short + (too_long - too_short + 1) / 2,
            };
        }
    }

    /// The usage of the board and of its bin.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn usage(&self) -> Result<BoardUsage, StoreError> {
        let rows = || self.rows(self.store.placements());
        let pool = self.store.pool();
        let (images, bytes) = tokio::try_join!(
            pool.value(r.count(rows())),
            pool.value(rows().sum(r.expr("size")))
        )?;
        Ok(BoardUsage { images, bytes })
    }

    /// The rows of the board from `lower` (inclusive) to `upper` (exclusive).
    fn between(&self, lower: &Position, upper: &Position) -> Command {
        let key = |position: &Position| {
            let Position { created_at, id } = position;
            r.expr(json!([self.id, created_at, id]))
        };
        let options = between::Options::new().index(TIMELINE_INDEX);
        let rows = self.store.placements();
        rows.between(r.args((key(lower), options)))
            .with_arg(key(upper))
    }

    /// The position of an image in the timeline. One that has been purged has the time that its id contains.
    async fn position_of(&self, id: ImageId) -> Result<Position, StoreError> {
        let row = self.store.placement_row(id).await?;
        Ok(Position::of(&row).unwrap_or_else(|| Position {
            id: id.to_string(),
            ..Position::at(id.ms())
        }))
    }
}

/// The image of a row; none if it is deleted, or invalid, which is logged.
pub(super) fn listed(row: Value) -> Option<ImageRecord> {
    if is_deleted(&row) {
        return None;
    }
    document(row, "placements").unwrap_or_else(|error| {
        log::warn!("omitted from a list: {error}");
        None
    })
}
