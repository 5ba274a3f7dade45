//! The table `boards`: titles, settings and links.
//!
//! A board exists if it has a row that is not deleted. The main board exists without one. One more row, `admin`, holds
//! the links that administer all boards.

mod change;
mod feed;
mod link;
mod record;

pub use change::{BoardChange, MAX_LINKS};
pub use feed::{BoardsEvent, BoardsFeed};
pub use link::{InvalidToken, Link, LinkId, Role, Token, TokenHash};
pub use record::{AdminLinks, BoardRecord, BoardSettings};
