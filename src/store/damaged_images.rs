//! The images whose files were found to be damaged.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::image::ImageId;

/// The images that were found to be damaged, each of which is logged once.
#[derive(Default)]
pub(super) struct DamagedImages(Mutex<HashSet<ImageId>>);

impl DamagedImages {
    /// Adds an image; returns `true` if it is new.
    pub(super) fn insert(&self, id: ImageId) -> bool {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(id)
    }
}
