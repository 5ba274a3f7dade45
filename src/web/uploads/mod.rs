//! Uploads over HTTP.

mod admission;
pub(super) mod body;
mod disk;
pub(super) mod form;
mod handler;
mod image_processor;
mod limits;
mod rate;
pub(super) mod received_file;
mod rejection;
mod size_limit;
pub(super) mod space;
mod uploader;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

pub(crate) use self::handler::upload;
pub(crate) use self::limits::limits;
pub(crate) use self::uploader::Uploader;
use super::http::limiter::Refusals;
use super::image_threads::ImageThreads;
use super::images::image_cache::ImageCache;
use super::settings::Settings;
use crate::metrics::Registry;
use crate::store::Store;

/// Returns the configuration that gives the handler its data.
pub(crate) fn configuration(
    store: Data<Store>,
    cache: Data<ImageCache>,
    threads: Arc<ImageThreads>,
    settings: &Settings,
    refusals: &Refusals,
    registry: &mut Registry,
) -> impl Fn(&mut ServiceConfig) + Clone + use<> {
    let uploader = Data::new(Uploader::new(
        store, cache, threads, settings, refusals, registry,
    ));
    move |config| {
        config.app_data(uploader.clone());
    }
}
