//! The query that a feed follows.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::item::Item;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::{Change, TableId};

/// Maps the old and the new document of a change to what the feed sees of them. `None` stands for a document outside
/// the feed.
///
/// # Errors
/// A failure that ends the feed.
pub(crate) type View = Arc<
    dyn Fn(Option<&Datum>, Option<&Datum>) -> Result<(Option<Datum>, Option<Datum>), ReqlError>
        + Send
        + Sync,
>;

/// The number of times that a feed has a document, one for each of its values in a multi index.
///
/// # Errors
/// A failure that ends the feed.
pub(crate) type Copies = Arc<dyn Fn(&Datum) -> Result<usize, ReqlError> + Send + Sync>;

/// The query of a feed. Feeds with the same query share their encoded changes.
#[derive(Clone)]
pub(crate) struct FeedQuery {
    pub(crate) table: TableId,
    pub(crate) range: Range,
    /// Applied to each changed document; `None` if the feed sees documents unchanged.
    pub(crate) view: Option<View>,
    /// `None` if the feed has each document once.
    pub(crate) copies: Option<Copies>,
    pub(crate) include_types: bool,
    /// `true` if the feed needs the documents of a change after it has been encoded, as a squashing feed does.
    pub(crate) keeps_values: bool,
    /// The text of the query. It identifies the view, because closures cannot be compared: equal texts mean equal
    /// views. `None` for a feed that shares nothing.
    pub(crate) text: Option<String>,
}

/// The documents of a table that a feed covers, by their keys.
#[derive(Debug, Clone)]
pub(crate) enum Range {
    Between(Bound<Vec<u8>>, Bound<Vec<u8>>),
    Keys(Vec<Vec<u8>>),
}

impl Range {
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::Between(lower, upper) => {
                let range = (
                    lower.as_ref().map(Vec::as_slice),
                    upper.as_ref().map(Vec::as_slice),
                );
                <(Bound<&[u8]>, Bound<&[u8]>) as RangeBounds<[u8]>>::contains(&range, key)
            }
            Self::Keys(keys) => keys.iter().any(|other| other == key),
        }
    }
}

impl FeedQuery {
    /// Returns `true` if both feeds of a table see the same changes, encoded alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        // The text also determines the range.
        self.text.is_some()
            && self.text == other.text
            && self.include_types == other.include_types
            && self.keeps_values == other.keeps_values
    }

    /// A change as the feed sees it: an element for each copy of the document that changes, comes or goes.
    pub(super) fn items(&self, seq: u64, change: &Change) -> Result<Vec<Item>, ReqlError> {
        let (old, new) = match &self.view {
            Some(view) => view(change.old.as_ref(), change.new.as_ref())?,
            None => (change.old.clone(), change.new.clone()),
        };
        let Some(copies) = &self.copies else {
            let item = self.item(seq, change, 0, (old, new))?;
            return Ok(item.into_iter().collect());
        };
        let count = |seen: &Option<Datum>, document: &Option<Datum>| match (seen, document) {
            (Some(_), Some(document)) => copies(document),
            _ => Ok(0),
        };
        let (before, after) = (count(&old, &change.old)?, count(&new, &change.new)?);
        let mut items = Vec::new();
        for copy in 0..before.max(after) {
            let old = old.clone().filter(|_| copy < before);
            let new = new.clone().filter(|_| copy < after);
            items.extend(self.item(seq, change, copy, (old, new))?);
        }
        Ok(items)
    }

    fn item(
        &self,
        seq: u64,
        change: &Change,
        copy: usize,
        (old, new): (Option<Datum>, Option<Datum>),
    ) -> Result<Option<Item>, ReqlError> {
        let is_same = match (&old, &new) {
            (None, None) => true,
            // The storage reports only real changes, but a view may hide the difference.
            (Some(old), Some(new)) if self.view.is_some() => old.equals(new)?,
            _ => false,
        };
        if is_same {
            return Ok(None);
        }
        let mut item = Item::new(change.key.as_slice().into(), copy, seq, old, new);
        if !self.keeps_values {
            item.encode(self.include_types)?;
        }
        Ok(Some(item))
    }
}

impl fmt::Debug for FeedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedQuery")
            .field("table", &self.table)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}
