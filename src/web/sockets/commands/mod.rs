//! What a client may ask for on a socket: texts `{"event": …, "data": …, "ref"?: …}`.

use std::future::ready;

use actix_web::web::Data;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::image::{ImageId, RequestedPlacement, checked_alt, checked_placement, clean_file_name};
use crate::store::{Durability, PlacementChange, StoreError};
use crate::web::sockets::announcements::{Announcer, Begin, End};
use crate::web::sockets::protocol::object::Object;
use crate::web::state::State;

/// The largest `z`, on either side of zero: doubles are exact to a thousandth there, and milliseconds since 1970 are far
/// below.
const MAX_Z: f64 = 8e12;

/// How much of the parser's complaint is told.
const MAX_MESSAGE: usize = 200;

/// A command with the mark under which its answer is given.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) reference: Value,
    /// The command, or what is wrong with it.
    pub(crate) command: Result<Command, String>,
}

/// What becomes of a command.
pub(crate) type Outcome = LocalBoxFuture<'static, Result<(), &'static str>>;

/// Something to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Change an image on the board.
    Update(ImageId, PlacementChange, Durability),
    /// Remove one.
    Delete(ImageId),
    /// Put one back that was removed.
    Restore(ImageId),
    /// Tell the other viewers of an upload.
    Begin(Begin),
    /// Tell them that it is over.
    End(End),
}

impl Request {
    /// Reads a client's text.
    pub(crate) fn parse(text: &str) -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Envelope {
            event: String,
            data: Value,
            r#ref: Option<Value>,
        }
        let envelope: Envelope = match serde_json::from_str(text) {
            Ok(Object(envelope)) => envelope,
            Err(error) => {
                // Whoever waits for an answer should get it even if something else in the message is wrong.
                let reference = serde_json::from_str::<Value>(text)
                    .ok()
                    .and_then(|value| value.get("ref").cloned());
                return Self {
                    reference: plain(reference),
                    command: Err(complaint(&error)),
                };
            }
        };
        let command = Command::parse(&envelope.event, envelope.data);
        Self {
            reference: plain(envelope.r#ref),
            command,
        }
    }
}

/// A mark is a text or a number.
fn plain(reference: Option<Value>) -> Value {
    reference
        .filter(|value| value.is_string() || value.is_number())
        .unwrap_or_default()
}

fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.chars().take(MAX_MESSAGE).collect()
}

impl Command {
    fn parse(event: &str, data: Value) -> Result<Self, String> {
        match event {
            "Image:update" => parse_update(data),
            "Image:delete" => read(data).map(|Named { id }| Self::Delete(id)),
            "Image:restore" => read(data).map(|Named { id }| Self::Restore(id)),
            "Upload:begin" => parse_begin(data).map(Self::Begin),
            "Upload:end" => read(data).map(Self::End),
            other => Err(format!(
                "unknown event {:?}",
                other.chars().take(40).collect::<String>()
            )),
        }
    }

    /// Does it, as far as it is between viewers; the rest is done by the future. The answer is for the client.
    pub(crate) fn begin(self, state: &Data<State>, announcer: &Announcer) -> Outcome {
        match self {
            Self::Begin(begin) => Box::pin(ready(announcer.begin(&begin))),
            Self::End(end) => Box::pin(ready(announcer.end(end))),
            Self::Update(id, change, durability) => {
                let store = state.store.clone();
                Box::pin(async move { answer(store.update(id, change, durability).await) })
            }
            Self::Delete(id) => {
                state.invalidate(id);
                let store = state.store.clone();
                Box::pin(async move { answer(store.delete(id).await) })
            }
            Self::Restore(id) => {
                let store = state.store.clone();
                Box::pin(async move { answer(store.restore(id).await) })
            }
        }
    }
}

/// What the store says, in words for the client.
fn answer(done: Result<bool, StoreError>) -> Result<(), &'static str> {
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err("there is no such image"),
        Err(error) => {
            log::warn!("a command failed: {error}");
            Err("the database cannot do it now")
        }
    }
}

/// The data of a command that only names an image.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: ImageId,
}

fn read<T: DeserializeOwned>(data: Value) -> Result<T, String> {
    let Object(data) = serde_json::from_value(data).map_err(|error| complaint(&error))?;
    Ok(data)
}

fn parse_begin(data: Value) -> Result<Begin, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Data {
        upload: ImageId,
        file_name: String,
        #[serde(default, deserialize_with = "given")]
        x: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        y: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        w: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        h: Option<f64>,
    }
    let Data {
        upload,
        file_name,
        x,
        y,
        w,
        h,
    } = read(data)?;
    let RequestedPlacement { x, y, w } =
        checked_placement(RequestedPlacement { x, y, w }).map_err(|refused| refused.to_string())?;
    let h = checked_height(h)?;
    let file_name = clean_file_name(&file_name).ok_or("fileName is empty")?;
    Ok(Begin {
        upload,
        file_name,
        x,
        y,
        w,
        h,
    })
}

/// A placeholder may be as high as an image may be wide.
fn checked_height(h: Option<f64>) -> Result<Option<f64>, String> {
    let place = RequestedPlacement {
        w: h,
        ..RequestedPlacement::default()
    };
    match checked_placement(place) {
        Ok(RequestedPlacement { w, .. }) => Ok(w),
        Err(_) => Err("h is out of bounds".to_owned()),
    }
}

fn parse_update(data: Value) -> Result<Command, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Update {
        id: ImageId,
        #[serde(default, deserialize_with = "given")]
        x: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        y: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        w: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        z: Option<f64>,
        #[serde(default, deserialize_with = "given")]
        alt: Option<String>,
        #[serde(default)]
        moving: bool,
    }
    let Update {
        id,
        x,
        y,
        w,
        z,
        alt,
        moving,
    } = read(data)?;
    let place =
        checked_placement(RequestedPlacement { x, y, w }).map_err(|refused| refused.to_string())?;
    if z.is_some_and(|z| z.abs() > MAX_Z) {
        return Err("z is too large".to_owned());
    }
    let alt = match alt {
        None => None,
        // An empty description removes the one there was.
        Some(text) => Some(
            checked_alt(Some(text))
                .map_err(|refused| refused.to_string())?
                .unwrap_or_default(),
        ),
    };
    let change = PlacementChange {
        x: place.x,
        y: place.y,
        w: place.w,
        z,
        alt,
    };
    if change == PlacementChange::default() {
        return Err("nothing is to be changed".to_owned());
    }
    let durability = if moving {
        Durability::Soft
    } else {
        Durability::Hard
    };
    Ok(Command::Update(id, change, durability))
}

/// A value that may be missing, but not null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0194bd2c-7a00-7000-8000-000000000001";

    fn id() -> ImageId {
        ID.parse().unwrap()
    }

    #[test]
    fn a_move_on_the_way_is_soft_and_its_end_is_hard() {
        let change = PlacementChange {
            x: Some(1.5),
            y: Some(-2.0),
            ..PlacementChange::default()
        };
        for (moving, durability) in [
            ("", Durability::Hard),
            (r#","moving":true"#, Durability::Soft),
        ] {
            let text = format!(
                r#"{{"event":"Image:update","data":{{"id":"{ID}","x":1.5,"y":-2{moving}}},"ref":"a"}}"#
            );
            let expected = Command::Update(id(), change.clone(), durability);
            assert_eq!(
                Request::parse(&text),
                Request {
                    reference: "a".into(),
                    command: Ok(expected)
                }
            );
        }
    }

    #[test]
    fn a_description_can_be_removed() {
        let text = format!(r#"{{"event":"Image:update","data":{{"id":"{ID}","alt":" "}}}}"#);
        let change = PlacementChange {
            alt: Some(String::new()),
            ..PlacementChange::default()
        };
        let expected = Command::Update(id(), change, Durability::Hard);
        assert_eq!(
            Request::parse(&text),
            Request {
                reference: Value::Null,
                command: Ok(expected)
            }
        );
    }

    #[test]
    fn a_delete_and_a_restore_name_an_image() {
        for (event, command) in [
            ("Image:delete", Command::Delete(id())),
            ("Image:restore", Command::Restore(id())),
        ] {
            let text = format!(r#"{{"event":"{event}","data":{{"id":"{ID}"}},"ref":7}}"#);
            let expected = Request {
                reference: 7.into(),
                command: Ok(command),
            };
            assert_eq!(Request::parse(&text), expected);
        }
    }

    #[test]
    fn an_upload_is_announced_with_a_clean_name() {
        let text = format!(
            r#"{{"event":"Upload:begin","data":{{"upload":"{ID}","fileName":"../a\n.png","y":-2,"h":90.5}}}}"#
        );
        let expected = Command::Begin(Begin {
            upload: id(),
            file_name: "a.png".into(),
            x: None,
            y: Some(-2.0),
            w: None,
            h: Some(90.5),
        });
        assert_eq!(Request::parse(&text).command, Ok(expected));
        let text = format!(r#"{{"event":"Upload:end","data":{{"upload":"{ID}","id":"{ID}"}}}}"#);
        let expected = Command::End(End {
            upload: id(),
            id: Some(id()),
        });
        assert_eq!(Request::parse(&text).command, Ok(expected));
        for data in [
            format!(r#"{{"upload":"{ID}"}}"#),
            format!(r#"{{"upload":"{ID}","fileName":".."}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","x":1e9}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","x":null}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","h":0}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","preview":"data:"}}"#),
            r#"{"upload":"1","fileName":"a"}"#.into(),
        ] {
            let text = format!(r#"{{"event":"Upload:begin","data":{data}}}"#);
            assert!(Request::parse(&text).command.is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_command_is_refused_and_answered() {
        let long = format!(
            r#"{{"event":"Image:update","data":{{"id":"{ID}","alt":"{}"}}}}"#,
            "a".repeat(1001)
        );
        let mut texts = vec![
            String::new(),
            "{".into(),
            "null".into(),
            "[1]".into(),
            "\"hello\"".into(),
            long,
        ];
        for data in ["{}", "null", "[]", r#"{"id":7}"#, r#"{"id":"x"}"#] {
            texts.push(format!(r#"{{"event":"Image:delete","data":{data}}}"#));
            texts.push(format!(r#"{{"event":"Image:restore","data":{data}}}"#));
            texts.push(format!(r#"{{"event":"Image:update","data":{data}}}"#));
        }
        for field in [
            r#""x":null"#,
            r#""x":"1""#,
            r#""x":1e9"#,
            r#""y":1e400"#,
            r#""w":0"#,
            r#""z":1e300"#,
            r#""alt":7"#,
            r#""moving":1"#,
            r#""moving":true"#,
            r#""sha256":"x""#,
            r#""x":1,"file":"x""#,
        ] {
            texts.push(format!(
                r#"{{"event":"Image:update","data":{{"id":"{ID}",{field}}}}}"#
            ));
        }
        texts.push(format!(r#"{{"event":"Image:delete","data":["{ID}"]}}"#));
        texts.push(format!(r#"["Image:delete",{{"id":"{ID}"}},5]"#));
        texts.push(format!(
            r#"["Image:update",["{ID}",7,8,99,1,"alt",false],5]"#
        ));
        for event in ["", "image:delete", "Feed:state", "upload:begin"] {
            texts.push(format!(r#"{{"event":"{event}","data":{{"id":"{ID}"}}}}"#));
        }
        texts.push(format!(
            r#"{{"event":"Image:delete","data":{{"id":"{ID}"}},"extra":1}}"#
        ));
        for text in texts {
            assert!(Request::parse(&text).command.is_err(), "{text}");
        }
    }

    #[test]
    fn the_mark_is_given_back_even_if_the_rest_is_wrong() {
        assert_eq!(Request::parse(r#"{"ref":"a","event":7}"#).reference, "a");
        assert_eq!(
            Request::parse(r#"{"event":"x","data":{},"ref":{"a":1}}"#).reference,
            Value::Null
        );
        let message = Request::parse(&format!(r#"{{"event":"{}","data":1}}"#, "x".repeat(5000)))
            .command
            .unwrap_err();
        assert!(message.len() < 100, "{message}");
    }
}
