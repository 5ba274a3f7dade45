//! What the server says on a socket: texts `{"event": …, "data": …}`.

use serde::Serialize;
use serde_json::Value;

use super::frame::{self, Frame};
use crate::image::{ImageId, ImageMeta, ImageRecord};
use crate::web::record::{MetaJson, RecordJson};
use crate::web::sockets::announcements::{Begin, End};

/// How far the feed has come, as a viewer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ShownState {
    /// What follows is how things stand.
    Initializing,
    /// What follows are changes.
    Ready,
    /// The database is not reached; it begins anew soon.
    Interrupted,
}

#[derive(Serialize)]
struct Event<T> {
    event: &'static str,
    data: T,
}

/// `Feed:state`
pub(crate) fn feed_state(state: ShownState) -> Frame {
    #[derive(Serialize)]
    struct Data {
        state: ShownState,
    }
    event("Feed:state", Data { state })
}

/// `Image:update` with a record.
pub(crate) fn image_update(record: &ImageRecord) -> Frame {
    event("Image:update", RecordJson::from(record))
}

/// `Image:update` for the latest image; a binary message with the picture must follow.
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

/// `Image:delete`
pub(crate) fn image_delete(id: ImageId) -> Frame {
    #[derive(Serialize)]
    struct Data {
        id: ImageId,
    }
    event("Image:delete", Data { id })
}

/// `User:update`
pub(crate) fn user_update(count: usize) -> Frame {
    #[derive(Serialize)]
    struct Data {
        count: usize,
    }
    event("User:update", Data { count })
}

/// `Upload:begin` of another session
pub(crate) fn upload_begin(begin: &Begin) -> Frame {
    event("Upload:begin", begin)
}

/// `Upload:end` of another session
pub(crate) fn upload_end(end: End) -> Frame {
    event("Upload:end", end)
}

/// `Ack`, with what went wrong if something did.
pub(crate) fn ack(reference: &Value, outcome: Result<(), &str>) -> Frame {
    #[derive(Serialize)]
    struct Data<'a> {
        r#ref: &'a Value,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    }
    event(
        "Ack",
        Data {
            r#ref: reference,
            ok: outcome.is_ok(),
            message: outcome.err(),
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

    fn said(frame: &Frame) -> &str {
        str::from_utf8(&frame.head[2..]).unwrap()
    }

    #[test]
    fn messages_are_as_the_pages_expect_them() {
        let state = feed_state(ShownState::Initializing);
        assert_eq!(
            said(&state),
            r#"{"event":"Feed:state","data":{"state":"initializing"}}"#
        );
        assert_eq!(
            said(&user_update(3)),
            r#"{"event":"User:update","data":{"count":3}}"#
        );
        let accepted = ack(&Value::from(7), Ok(()));
        assert_eq!(
            said(&accepted),
            r#"{"event":"Ack","data":{"ref":7,"ok":true}}"#
        );
        let refused = ack(&Value::Null, Err("why"));
        assert_eq!(
            said(&refused),
            r#"{"event":"Ack","data":{"ref":null,"ok":false,"message":"why"}}"#
        );
    }
}
