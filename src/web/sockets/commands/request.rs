//! The envelope of a command.

use serde::Deserialize;
use serde_json::Value;

use super::command::Command;
use super::data::message;
use super::parse::parse;
use crate::web::sockets::protocol::json_object::JsonObject;

/// A client's command and the `ref` of its answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    /// A string, a number, or null.
    pub(crate) reference: Value,
    /// The command, or an error message for the client.
    pub(crate) command: Result<Command, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    event: String,
    data: Value,
    r#ref: Option<Value>,
}

impl Request {
    /// Parses a client's text message.
    pub(crate) fn parse(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(JsonObject(Envelope { event, data, r#ref })) => Self {
                reference: string_or_number(r#ref),
                command: parse(&event, data),
            },
            Err(error) => {
                // The client can match the answer to its command even if the rest of the message is invalid.
                let reference = serde_json::from_str::<Value>(text)
                    .ok()
                    .and_then(|value| value.get("ref").cloned());
                Self {
                    reference: string_or_number(reference),
                    command: Err(message(&error)),
                }
            }
        }
    }
}

fn string_or_number(reference: Option<Value>) -> Value {
    reference
        .filter(|value| value.is_string() || value.is_number())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageId;
    use crate::store::{Durability, PlacementChange};
    use crate::web::sockets::protocol::events::{UploadBegin, UploadEnd};

    const ID: &str = "0194bd2c-7a00-7000-8000-000000000001";

    fn id() -> ImageId {
        ID.parse().unwrap()
    }

    #[test]
    fn an_intermediate_move_is_soft_and_the_last_is_hard() {
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
            ("Image:delete", Command::Delete(vec![id()])),
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
        let expected = Command::BeginUpload(UploadBegin {
            upload: id(),
            file_name: "a.png".into(),
            x: None,
            y: Some(-2.0),
            w: None,
            h: Some(90.5),
        });
        assert_eq!(Request::parse(&text).command, Ok(expected));
        let text = format!(r#"{{"event":"Upload:end","data":{{"upload":"{ID}","id":"{ID}"}}}}"#);
        let expected = Command::EndUpload(UploadEnd {
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
            format!(r#"{{"upload":"{ID}","fileName":"a","width":4}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","width":4,"height":0}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","width":4,"height":1.5}}"#),
            format!(r#"{{"upload":"{ID}","fileName":"a","preview":"data:"}}"#),
            r#"{"upload":"1","fileName":"a"}"#.into(),
        ] {
            let text = format!(r#"{{"event":"Upload:begin","data":{data}}}"#);
            assert!(Request::parse(&text).command.is_err(), "{text}");
        }
    }

    #[test]
    fn an_upload_with_its_pixels_asks_for_a_placement() {
        let text = format!(
            r#"{{"event":"Upload:begin","data":{{"upload":"{ID}","fileName":"a","width":40,"height":30}}}}"#
        );
        let begin = UploadBegin {
            upload: id(),
            file_name: "a".into(),
            x: None,
            y: None,
            w: None,
            h: None,
        };
        let expected = Command::ReserveUpload(begin, (40, 30));
        assert_eq!(Request::parse(&text).command, Ok(expected));
    }

    #[test]
    fn invalid_commands_are_rejected() {
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
    fn the_ref_of_an_invalid_command_is_kept() {
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
