//! `POST /image`: a form with one image, read as it comes.

mod admission;
mod body;
mod form;
mod prepare;
mod rejection;

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentLength, Header as _};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::{Instant, sleep_until};

pub(crate) use self::admission::Admission;
use self::admission::Admitted;
use self::body::UploadBody;
use crate::image::{ImageRecord, Upload};
use crate::store::Insert;
use crate::web::http::problem::Problem;
use crate::web::record::{RecordJson, image_url};
use crate::web::state::State;

/// What a form may have besides the image: its other fields, and the lines between them.
const FORM_ALLOWANCE: u64 = 128 << 10;

/// How long an upload may take whatever its size.
const GRACE: Duration = Duration::from_secs(30);

/// How fast it must be beyond that, in bytes a second: as fast as a phone with one bar.
const SLOWEST: u64 = 8 << 10;

/// The handler.
pub(crate) async fn upload(
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> HttpResponse {
    let limit = state.settings.max_upload + FORM_ALLOWANCE;
    let incoming = UploadBody::new(payload.into_inner(), limit);
    match answer(&request, &incoming, &state).await {
        Ok(response) => response,
        Err(problem) => rejection::reject(&problem, incoming, state.settings.max_upload),
    }
}

async fn answer(
    request: &HttpRequest,
    incoming: &UploadBody,
    state: &Data<State>,
) -> Result<HttpResponse, Problem> {
    let max_upload = state.settings.max_upload;
    let announced = request
        .headers()
        .contains_key(header::CONTENT_LENGTH)
        .then(|| ContentLength::parse(request));
    let announced = announced.and_then(Result::ok).map(|length| *length as u64);
    if announced.is_some_and(|length| length > max_upload + FORM_ALLOWANCE) {
        return Err(too_large(max_upload));
    }
    let expected = announced.unwrap_or(u64::MAX).min(max_upload);
    let place = state.admission.enter(expected).await?;
    let reading = form::read(request.headers(), incoming.clone(), max_upload, expected);
    let upload = tokio::select! {
        upload = reading => upload?,
        () = too_slow(incoming) => {
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The upload is too slow."));
        }
    };
    // A task of its own: all bytes are here, so the image is stored even if the client does not wait for the answer.
    let (status, record) = tokio::spawn(store(state.clone(), upload, place))
        .await
        .unwrap_or_else(|error| {
            log::error!("an upload failed: {error}");
            Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server failed. Its log says why.",
            ))
        })?;
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, image_url(record.meta.id)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(RecordJson::from(&record)))
}

/// 413
fn too_large(max_upload: u64) -> Problem {
    let detail = format!("The image is larger than {max_upload} bytes, the most that is taken.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Ends when an upload has taken longer than it may.
async fn too_slow(incoming: &UploadBody) {
    let start = Instant::now();
    loop {
        let deadline = start + GRACE + Duration::from_secs(incoming.received() / SLOWEST);
        if Instant::now() >= deadline {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Checks and stores what was sent, and keeps its place among the uploads until then.
async fn store(
    state: Data<State>,
    upload: Upload,
    place: Admitted,
) -> Result<(StatusCode, ImageRecord), Problem> {
    let turn = state.admission.turn(&place).await;
    let image = prepare::prepare(&state, upload).await?;
    let (file, thumb) = (image.file.clone(), image.thumb.clone());
    let stored = state.store.insert(image).await?;
    drop((place, turn));
    match stored {
        Insert::Created(record) => {
            let meta = &record.meta;
            log::info!(
                "stored image {}: {}, {} × {}, {} bytes",
                meta.id,
                meta.kind,
                meta.width,
                meta.height,
                meta.size
            );
            state.image_cache.keep(meta.id, file);
            if let Some(thumb) = thumb {
                state.thumbnail_cache.keep(meta.id, thumb);
            }
            Ok((StatusCode::CREATED, record))
        }
        Insert::Existing(record) => Ok((StatusCode::OK, record)),
        Insert::Conflict => Err(Problem::new(
            StatusCode::CONFLICT,
            "Another image has this id.",
        )),
        // Neither is it on the board, as 200 would say, nor may a repeat undo what somebody did since.
        Insert::Deleted => Err(Problem::new(
            StatusCode::CONFLICT,
            "The image was stored and has been deleted since.",
        )),
    }
}
