//! Documents of the table `boards`.

use serde::{Deserialize, Serialize};

use super::link::Link;
use crate::image::{BoardId, Timestamp};

/// The title of a main board that nobody has named.
const MAIN_TITLE: &str = "Photos";

/// A board without its images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardRecord {
    /// Primary key.
    pub id: BoardId,
    /// Title, 1 to 80 characters.
    pub title: String,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// The settings, which a host can change.
    #[serde(default)]
    pub settings: BoardSettings,
    /// The links to it.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Time of the delete. A deleted board is removed after the undo window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// The settings of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BoardSettings {
    /// Only hosts and administrators can change anything.
    pub locked: bool,
    /// Photos that guests add wait until a host approves them.
    pub moderated: bool,
}

/// The links that administer all boards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdminLinks {
    /// The links, oldest first. All have the role admin.
    #[serde(default)]
    pub links: Vec<Link>,
}

impl BoardRecord {
    /// A new board without links.
    pub fn new(title: String) -> Self {
        Self {
            id: BoardId::random(),
            title,
            created_at: Timestamp::now(),
            settings: BoardSettings::default(),
            links: Vec::new(),
            deleted_at: None,
        }
    }

    /// The main board before anybody has changed it.
    pub fn main() -> Self {
        Self {
            id: BoardId::MAIN,
            title: MAIN_TITLE.to_owned(),
            created_at: Timestamp::from_millis(0),
            settings: BoardSettings::default(),
            links: Vec::new(),
            deleted_at: None,
        }
    }
}
