//! `DELETE /image/{id}` and `POST /image/{id}/restore`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::image_cache::ImageCache;
use super::requested_image::RequestedImage;
use crate::store::Store;
use crate::web::http::problem::Problem;

/// `DELETE /image/{id}`: deletes an image. It can be restored within the undo window.
pub(crate) async fn delete(
    RequestedImage(id): RequestedImage,
    store: Data<Store>,
    cache: Data<ImageCache>,
) -> Result<HttpResponse, Problem> {
    let deleted = store.delete(vec![id], None).await;
    // Only now: a read that started before the delete would put the image back into the cache.
    cache.invalidate(id);
    if deleted? == 0 {
        return Err(Problem::no_such_image());
    }
    log::info!("deleted image {id}");
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /image/{id}/restore`: undoes a delete.
pub(crate) async fn restore(
    RequestedImage(id): RequestedImage,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    if !store.restore(id).await? {
        return Err(Problem::no_such_image());
    }
    log::info!("restored image {id}");
    Ok(HttpResponse::NoContent().finish())
}
