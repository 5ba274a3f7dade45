//! `DELETE /image/{id}`, `POST /image/{id}/restore` and `POST /image/{id}/approve`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::image_cache::ImageCache;
use crate::store::{Restored, Store, StoredImage};
use crate::web::access::check::RequestedImage;
use crate::web::access::grant::Grant;
use crate::web::http::problem::Problem;

/// `DELETE /image/{id}`: deletes an image. It can be restored within the undo window.
pub(crate) async fn delete(
    RequestedImage(image): RequestedImage,
    grant: Grant,
    store: Data<Store>,
    cache: Data<ImageCache>,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&image);
    let deleted = grant.changeable(&store).delete(vec![id], None).await;
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
    RequestedImage(image): RequestedImage,
    grant: Grant,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&image);
    match grant.changeable(&store).restore(id, None).await? {
        Restored::Done => {}
        Restored::Gone => return Err(Problem::no_such_image()),
        Restored::Full(full) => return Err(full.into()),
    }
    log::info!("restored image {id}");
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /image/{id}/approve`: shows an image that waits to everybody.
pub(crate) async fn approve(
    RequestedImage(image): RequestedImage,
    grant: Grant,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let board = store.board(grant.board.id);
    board.approve(Some(vec![id_of(&image)])).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn id_of(image: &StoredImage) -> crate::image::ImageId {
    image.record.meta.id
}
