//! Images over HTTP: their bytes, thumbnails, lists and removal.

pub(crate) mod bin;
pub(crate) mod image_cache;
pub(crate) mod list;
pub(crate) mod removal;
pub(crate) mod serve;
pub(crate) mod thumbnail;

use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};

use self::image_cache::ImageCache;
use self::serve::DownloadTimeout;
use crate::store::Store;

/// Returns the configuration that gives the handlers their data.
pub(crate) fn configuration(
    store: Data<Store>,
    cache: Data<ImageCache>,
    download_read_timeout: Duration,
) -> impl Fn(&mut ServiceConfig) + Clone {
    let timeout = Data::new(DownloadTimeout(download_read_timeout));
    move |config| {
        config
            .app_data(store.clone())
            .app_data(cache.clone())
            .app_data(timeout.clone());
    }
}
