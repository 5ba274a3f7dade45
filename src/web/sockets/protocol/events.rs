//! The server's events: text messages `{"event": …, "data": …}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::frame::{self, Frame};
use crate::image::{ImageId, ImageMeta, ImageRecord, Timestamp};
use crate::store::Area;
use crate::web::board_json::GrantJson;
use crate::web::record_json::{MetaJson, RecordJson};

/// The state of a viewer's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ViewerFeedState {
    /// The current state follows.
    Initializing,
    /// Changes follow.
    Ready,
    /// The database is unreachable. The feed starts again as soon as possible.
    Interrupted,
}

/// `Upload:begin`: an upload has started. The image will have the id of the upload.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadBegin {
    pub(crate) upload: ImageId,
    pub(crate) file_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) w: Option<f64>,
    /// The height of the placeholder. The height of the image follows from its pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) h: Option<f64>,
}

impl UploadBegin {
    /// The announcement with a placeholder at `area`.
    pub(crate) fn at(self, area: Area) -> Self {
        Self {
            x: Some(area.x),
            y: Some(area.y),
            w: Some(area.w),
            h: Some(area.h),
            ..self
        }
    }
}

/// `Upload:end`: an upload has ended, with the id of the image if it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadEnd {
    pub(crate) upload: ImageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<ImageId>,
}

#[derive(Serialize)]
struct Event<T> {
    event: &'static str,
    data: T,
}

/// `Feed:state`
pub(crate) fn feed_state(state: ViewerFeedState) -> Frame {
    #[derive(Serialize)]
    struct Data {
        state: ViewerFeedState,
        /// The server's time, in milliseconds since 1970.
        now: i64,
    }
    let now = Timestamp::now().as_millis();
    event("Feed:state", Data { state, now })
}

/// `Board:update`: the board, and what the viewer may do there
pub(crate) fn board_update(board: &GrantJson<'_>) -> Frame {
    event("Board:update", board)
}

/// `Image:update` with a record.
pub(crate) fn image_update(record: &ImageRecord) -> Frame {
    event("Image:update", RecordJson::from(record))
}

/// `Image:update` for the latest image. A binary message with its file must follow.
pub(crate) fn latest_update(meta: &ImageMeta, length: usize) -> Frame {
    #[derive(Serialize)]
    struct Data<T> {
        #[serde(flatten)]
        image: T,
        file: File,
    }
    #[derive(Serialize)]
    struct File {
        size: usize,
    }
    event(
        "Image:update",
        Data {
            image: MetaJson::from(meta),
            file: File { size: length },
        },
    )
}

/// `Image:delete`, with the display name of the person who deleted the image
pub(crate) fn image_delete(id: ImageId, by: Option<&str>) -> Frame {
    #[derive(Serialize)]
    struct Data<'a> {
        id: ImageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    }
    event("Image:delete", Data { id, by })
}

/// `User:update`, with the number of sessions and the people among them
pub(crate) fn user_update(count: usize, people: &[&Person]) -> Frame {
    #[derive(Serialize)]
    struct Data<'a> {
        count: usize,
        people: &'a [&'a Person],
    }
    event("User:update", Data { count, people })
}

/// `Upload:begin` of another viewer
pub(crate) fn upload_begin(begin: &UploadBegin) -> Frame {
    event("Upload:begin", begin)
}

/// `Upload:end` of another viewer
pub(crate) fn upload_end(end: UploadEnd) -> Frame {
    event("Upload:end", end)
}

/// A person: a session with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    /// Identifies the session within this server.
    pub(crate) id: u64,
    pub(crate) name: String,
    /// A CSS colour, the same for the same name.
    pub(crate) colour: &'static str,
}

/// The contents of an `Ack` besides the outcome of the command.
#[derive(Default, Serialize)]
pub(crate) struct AckDetails {
    /// The reserved placement of an upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<ReservedPlacement>,
    /// The session's name and colour after `User:name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<Person>,
}

/// A placement without stacking order, in board units.
#[derive(Serialize)]
pub(crate) struct ReservedPlacement {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
}

/// `Ack`, with the error message of a failed command
pub(crate) fn ack(reference: &Value, outcome: Result<AckDetails, &str>) -> Frame {
    #[derive(Serialize)]
    struct Data<'a> {
        r#ref: &'a Value,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        #[serde(flatten)]
        details: AckDetails,
    }
    event(
        "Ack",
        Data {
            r#ref: reference,
            ok: outcome.is_ok(),
            message: outcome.as_ref().err().copied(),
            details: outcome.unwrap_or_default(),
        },
    )
}

fn event(event: &'static str, data: impl Serialize) -> Frame {
    let text = serde_json::to_string(&Event { event, data }).expect("string keys and plain values");
    frame::text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(frame: &Frame) -> &str {
        str::from_utf8(&frame.head[2..]).unwrap()
    }

    #[test]
    fn events_have_the_documented_form() {
        let state = feed_state(ViewerFeedState::Initializing);
        let start = r#"{"event":"Feed:state","data":{"state":"initializing","now":1"#;
        assert!(text_of(&state).starts_with(start), "{}", text_of(&state));
        assert_eq!(
            text_of(&user_update(3, &[])),
            r#"{"event":"User:update","data":{"count":3,"people":[]}}"#
        );
        let accepted = ack(&Value::from(7), Ok(AckDetails::default()));
        assert_eq!(
            text_of(&accepted),
            r#"{"event":"Ack","data":{"ref":7,"ok":true}}"#
        );
        let failed = ack(&Value::Null, Err("why"));
        assert_eq!(
            text_of(&failed),
            r#"{"event":"Ack","data":{"ref":null,"ok":false,"message":"why"}}"#
        );
    }
}
