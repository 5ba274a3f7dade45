//! The disk that holds the images.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use tokio::task::spawn_blocking;

use crate::disk;

/// The disk of the data folder, if the images are on this machine.
pub(crate) struct DataDisk(Option<Arc<PathBuf>>);

/// Returns the configuration that gives the list of boards the disk of a folder.
pub(crate) fn configuration(folder: Option<PathBuf>) -> impl Fn(&mut ServiceConfig) + Clone {
    let disk = Data::new(DataDisk(folder.map(Arc::new)));
    move |config| {
        config.app_data(disk.clone());
    }
}

impl DataDisk {
    /// The space in bytes that is left; `None` if that is unknown.
    pub(super) async fn available_bytes(&self) -> Option<u64> {
        let folder = Arc::clone(self.0.as_ref()?);
        // A network disk may take a while to answer.
        spawn_blocking(move || disk::available_bytes(&folder))
            .await
            .ok()?
    }
}
