//! Validation of commands.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::Value;

use super::command::Command;
use super::data::{from_object, not_null};
use crate::image::{
    ImageId, InvalidUpload, RequestedPlacement, checked_alt, checked_caption, checked_name,
    checked_placement, clean_file_name,
};
use crate::store::{Durability, PlacementChange};
use crate::web::sockets::protocol::events::UploadBegin;
use crate::web::sockets::protocol::json_object::JsonObject;

/// The largest absolute `z`. Doubles below it are exact to a thousandth, and it is far above the milliseconds since
/// 1970, which pages use as `z`.
const MAX_Z: f64 = 8e12;

/// The number of images that one command may arrange or delete.
const MAX_IMAGES: usize = 2_000;

/// The longest part of an unknown event name that is quoted in the answer, in characters.
const MAX_QUOTED: usize = 40;

/// Parses the data of a command.
///
/// # Errors
///
/// A message for the client.
pub(crate) fn parse(event: &str, data: Value) -> Result<Command, String> {
    match event {
        "Image:update" => parse_update(data),
        "Image:arrange" => parse_arrange(data).map(Command::Arrange),
        "Image:delete" => parse_delete(data).map(Command::Delete),
        "Image:restore" => from_object(data).map(|NamedImage { id }| Command::Restore(id)),
        "User:name" => parse_name(data).map(Command::Name),
        "Upload:begin" => parse_begin(data),
        "Upload:end" => from_object(data).map(Command::EndUpload),
        other => Err(format!(
            "unknown event {:?}",
            other.chars().take(MAX_QUOTED).collect::<String>()
        )),
    }
}

/// The data of a command on an image.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedImage {
    id: ImageId,
}

/// Parses `{"id"}` or `{"ids"}`.
fn parse_delete(data: Value) -> Result<Vec<ImageId>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Delete {
        #[serde(default, deserialize_with = "not_null")]
        id: Option<ImageId>,
        #[serde(default, deserialize_with = "not_null")]
        ids: Option<BTreeSet<ImageId>>,
    }
    match from_object(data)? {
        Delete {
            id: Some(id),
            ids: None,
        } => Ok(vec![id]),
        Delete {
            id: None,
            ids: Some(ids),
        } if (1..=MAX_IMAGES).contains(&ids.len()) => Ok(ids.into_iter().collect()),
        Delete {
            id: None,
            ids: Some(_),
        } => Err(format!("ids must have 1 to {MAX_IMAGES} images")),
        _ => Err("id or ids must name the images".to_owned()),
    }
}

fn parse_name(data: Value) -> Result<Option<String>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Name {
        name: String,
    }
    let Name { name } = from_object(data)?;
    checked_name("name", Some(name)).map_err(|error| error.to_string())
}

fn parse_begin(data: Value) -> Result<Command, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Data {
        upload: ImageId,
        file_name: String,
        #[serde(default, deserialize_with = "not_null")]
        x: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        y: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        w: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        h: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        width: Option<NonZeroU32>,
        #[serde(default, deserialize_with = "not_null")]
        height: Option<NonZeroU32>,
    }
    let Data {
        upload,
        file_name,
        x,
        y,
        w,
        h,
        width,
        height,
    } = from_object(data)?;
    let RequestedPlacement { x, y, w } =
        checked_placement(RequestedPlacement { x, y, w }).map_err(|error| error.to_string())?;
    let h = checked_height(h)?;
    let file_name = clean_file_name(&file_name).ok_or("fileName is empty")?;
    let begin = UploadBegin {
        upload,
        file_name,
        x,
        y,
        w,
        h,
    };
    match (width, height) {
        (None, None) => Ok(Command::BeginUpload(begin)),
        (Some(width), Some(height)) => {
            Ok(Command::ReserveUpload(begin, (width.get(), height.get())))
        }
        _ => Err("width and height belong together".to_owned()),
    }
}

/// Checks the height of a placeholder, which has the bounds of a width.
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

/// Checks the fields of a placement.
fn checked_change(
    x: Option<f64>,
    y: Option<f64>,
    w: Option<f64>,
    z: Option<f64>,
) -> Result<PlacementChange, String> {
    let RequestedPlacement { x, y, w } =
        checked_placement(RequestedPlacement { x, y, w }).map_err(|error| error.to_string())?;
    if z.is_some_and(|z| z.abs() > MAX_Z) {
        return Err("z is too large".to_owned());
    }
    Ok(PlacementChange {
        x,
        y,
        w,
        z,
        ..PlacementChange::default()
    })
}

fn parse_arrange(data: Value) -> Result<Vec<(ImageId, PlacementChange)>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arrange {
        places: Vec<JsonObject<PlacementInput>>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PlacementInput {
        id: ImageId,
        x: f64,
        y: f64,
        #[serde(default, deserialize_with = "not_null")]
        w: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        z: Option<f64>,
    }
    let Arrange { places } = from_object(data)?;
    if places.is_empty() || places.len() > MAX_IMAGES {
        return Err(format!("places must have 1 to {MAX_IMAGES} images"));
    }
    let mut ids = HashSet::new();
    let checked = places.into_iter().map(|JsonObject(place)| {
        if !ids.insert(place.id) {
            return Err(format!("{} is named twice", place.id));
        }
        let change = checked_change(Some(place.x), Some(place.y), place.w, place.z)?;
        Ok((place.id, change))
    });
    checked.collect()
}

/// Checks a text that the command sets. An empty one, which removes the present text, stays empty.
fn checked_text(
    text: Option<String>,
    check: impl Fn(Option<String>) -> Result<Option<String>, InvalidUpload>,
) -> Result<Option<String>, String> {
    let Some(text) = text else { return Ok(None) };
    let checked = check(Some(text)).map_err(|error| error.to_string())?;
    Ok(Some(checked.unwrap_or_default()))
}

fn parse_update(data: Value) -> Result<Command, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Update {
        id: ImageId,
        #[serde(default, deserialize_with = "not_null")]
        x: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        y: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        w: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        z: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        alt: Option<String>,
        #[serde(default, deserialize_with = "not_null")]
        caption: Option<String>,
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
        caption,
        moving,
    } = from_object(data)?;
    let change = PlacementChange {
        alt: checked_text(alt, checked_alt)?,
        caption: checked_text(caption, checked_caption)?,
        ..checked_change(x, y, w, z)?
    };
    if change == PlacementChange::default() {
        return Err("the command changes nothing".to_owned());
    }
    let durability = if moving {
        Durability::Soft
    } else {
        Durability::Hard
    };
    Ok(Command::Update(id, change, durability))
}
