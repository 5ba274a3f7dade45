//! The state of a layout, which the servers of a database share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::area::Area;
use super::rows::RowImage;
use crate::image::ImageId;

/// The state of the layout, which all servers share: a document of the table `layouts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub(super) region: Option<Region>,
    /// The row that is being filled.
    pub(super) row: Option<Row>,
    /// The placements of uploads that are not known to be stored.
    pub(super) open: BTreeMap<ImageId, OpenPlacement>,
    /// Moves of images that may not be in the table `placements` yet. In this document, so that any server can complete
    /// them.
    #[serde(default)]
    pub(super) moves: BTreeMap<ImageId, Move>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) area: Area,
    /// Top edge of the next row.
    pub(super) next_y: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) y: f64,
    pub(super) images: Vec<RowImage>,
}

/// A placement that an upload will use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPlacement {
    pub(super) area: Area,
    /// When it may be forgotten, in milliseconds since 1970.
    pub(super) until: i64,
    /// Chosen by the uploader, so not part of a row.
    pub(super) is_chosen: bool,
}

/// The move of an image whose row was completed or compacted. Moves only an image that nobody else has moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Move {
    /// The areas from which the image is moved: more than one if its row has changed again.
    pub(super) from: Vec<Area>,
    pub(super) to: Area,
}

impl Layout {
    /// The area that is reserved for an upload.
    pub(super) fn area_of(&self, id: ImageId) -> Option<Area> {
        self.open.get(&id).map(|open| open.area)
    }

    /// The moves that may not be in the table `placements` yet.
    pub(super) fn moves(&self) -> &BTreeMap<ImageId, Move> {
        &self.moves
    }

    /// Removes moves that are in the table `placements`.
    pub(super) fn remove_moves(&mut self, written: &[(ImageId, Area)]) {
        for (id, to) in written {
            if self.moves.get(id).is_some_and(|planned| planned.to == *to) {
                self.moves.remove(id);
            }
        }
    }

    /// Returns `true` if an image that was stored at `area` has to be moved: its row has changed since.
    pub(super) fn has_moved(&self, id: ImageId, area: Area) -> bool {
        self.area_of(id)
            .is_some_and(|reserved| !reserved.is_at(area))
    }
}
