//! `POST /image`: a form with one image, read as a stream.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentLength, Header as _};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::{Instant, sleep_until};

use super::body::UploadBody;
use super::form::UploadForm;
use super::size_limit::{FORM_ALLOWANCE, too_large};
use super::uploader::Uploader;
use super::{form, rejection};
use crate::image::{Timestamp, Upload};
use crate::web::access::Access;
use crate::web::access::action::Action;
use crate::web::access::check::check_again;
use crate::web::access::credentials::Credentials;
use crate::web::access::grant::Grant;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::prefix::base_path;
use crate::web::http::problem::Problem;
use crate::web::http::request_id::{RequestId, inherited};
use crate::web::record_json::{RecordJson, image_url};

/// The time that every upload has, regardless of its size.
const BASE_TIMEOUT: Duration = Duration::from_secs(30);

/// The slowest rate accepted beyond [`BASE_TIMEOUT`], in bytes per second: that of a phone with a weak signal.
const MIN_RATE: u64 = 8 << 10;

/// The handler.
pub(crate) async fn upload(
    request: HttpRequest,
    payload: Payload,
    grant: Grant,
    credentials: Credentials,
    uploader: Data<Uploader>,
    access: Data<Access>,
) -> HttpResponse {
    let max_upload = uploader.max_upload();
    let body = UploadBody::new(payload.into_inner(), max_upload + FORM_ALLOWANCE);
    match respond(&request, &body, grant, &credentials, &uploader, &access).await {
        Ok(response) => response,
        Err(problem) => rejection::reject(&problem, body, max_upload),
    }
}

async fn respond(
    request: &HttpRequest,
    body: &UploadBody,
    grant: Grant,
    credentials: &Credentials,
    uploader: &Data<Uploader>,
    access: &Access,
) -> Result<HttpResponse, Problem> {
    let began_at = Timestamp::now();
    let max_upload = uploader.max_upload();
    let announced = announced_length(request);
    if announced.is_some_and(|length| length > max_upload + FORM_ALLOWANCE) {
        return Err(too_large(max_upload));
    }
    let client = ClientAddress::of(request);
    let ticket = uploader.admit(client).await?;
    let receiver = uploader.receiver(announced.unwrap_or(max_upload)).await?;
    let count = || uploader.count(client, &grant, credentials);
    let reading = form::read(request.headers(), body.clone(), max_upload, receiver, count);
    let UploadForm { upload, image } = tokio::select! {
        form = reading => form?,
        () = too_slow(body) => {
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The upload is too slow."));
        }
    };
    let grant = check_again(access, credentials, grant.board.id, Action::Add)?;
    let upload = Upload {
        board: grant.board.id,
        waiting: grant.must_wait(),
        owner: grant.owner,
        began_at: Some(began_at),
        ..upload
    };
    // A task of its own: the upload is complete, so the image is stored even if the client disconnects now.
    let storing = uploader.clone().into_inner().store(upload, image, ticket);
    let (status, record) = tokio::spawn(inherited(RequestId::current(), storing))
        .await
        .unwrap_or_else(|error| {
            log::error!("an upload failed: {error}");
            Err(Problem::internal())
        })?;
    let location =
        base_path(request).to_owned() + image_url(record.meta.id).trim_start_matches('/');
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(RecordJson::from(&record)))
}

fn announced_length(request: &HttpRequest) -> Option<u64> {
    // Without the header, actix would report an error that is not one.
    if !request.headers().contains_key(header::CONTENT_LENGTH) {
        return None;
    }
    let length = ContentLength::parse(request).ok()?;
    Some(*length as u64)
}

/// Completes when an upload has taken longer than its size allows.
async fn too_slow(body: &UploadBody) {
    let start = Instant::now();
    loop {
        let deadline = start + BASE_TIMEOUT + Duration::from_secs(body.received() / MIN_RATE);
        if Instant::now() >= deadline {
            return;
        }
        sleep_until(deadline).await;
    }
}
