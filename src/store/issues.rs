//! The issues that a database reports about itself.

use std::time::Duration;

use reql::r;
use serde_json::Value;

use super::error::StoreError;
use super::handle::Store;

/// Time limit for the answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A kind of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueKind {
    /// Its disk has no space for images. Images can be read, moved and deleted.
    DiskFull,
    /// Its disk cannot be written.
    DiskFailed,
    /// The stored bytes of a document or its binary differ from those that were written.
    Damaged,
    /// Any other issue of a RethinkDB.
    Other,
}

impl Store {
    /// Returns the issues of the database; none if this user may not see them.
    ///
    /// # Errors
    ///
    /// If it does not answer within three seconds.
    pub async fn issues(&self) -> Result<Vec<IssueKind>, StoreError> {
        let issues = r.db("rethinkdb").table("current_issues");
        let issues = issues.pluck(r.expr("type"));
        match self.pool().query_within::<Value>(issues, TIMEOUT).await {
            Ok(issues) => Ok(issues.iter().map(kind).collect()),
            // Only the administrator of a RethinkDB may read its system tables.
            Err(StoreError::Refused(_)) => self.ping().await.map(|()| Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn kind(issue: &Value) -> IssueKind {
    match issue["type"].as_str() {
        Some("disk_full") => IssueKind::DiskFull,
        Some("disk_failed") => IssueKind::DiskFailed,
        Some("data_damaged") => IssueKind::Damaged,
        _ => IssueKind::Other,
    }
}
