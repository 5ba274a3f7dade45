//! The names of the tables and their indexes.

/// The table of files: description, file and thumbnail of each image.
pub(super) const IMAGES: &str = "images";

/// The table that board feeds follow: description and placement of each image.
pub(super) const PLACEMENTS: &str = "placements";

/// The table of boards: their titles, settings and links.
pub(super) const BOARDS: &str = "boards";

/// The key of the row of [`BOARDS`] that is no board: it holds the links that administer all of them.
pub(super) const ADMIN: &str = "admin";

/// The table of layouts: the state of the rows that images without a position are added to.
pub(super) const LAYOUTS: &str = "layouts";

/// All tables.
pub(super) const TABLES: [&str; 4] = [IMAGES, PLACEMENTS, LAYOUTS, BOARDS];

/// The index of `images` and `placements` by board. Feeds and lists of one board read its rows only.
pub(super) const BOARD_INDEX: &str = "board";

/// The index of `placements` by board, time of the upload and id: the order of lists.
pub(super) const TIMELINE_INDEX: &str = "timeline";
