//! The board as a ZIP file.

mod download;
mod file_names;
mod zip;

use actix_web::web::{Data, ServiceConfig};

use self::download::ArchiveSlots;
pub(crate) use self::download::download;
use crate::store::Store;

/// Returns the configuration that gives the handler its data.
pub(crate) fn configuration(store: Data<Store>) -> impl Fn(&mut ServiceConfig) + Clone {
    let slots = Data::new(ArchiveSlots::default());
    move |config| {
        config.app_data(store.clone()).app_data(slots.clone());
    }
}
