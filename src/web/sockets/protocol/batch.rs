//! `Image:batch`: many records in one message, column by column.
//!
//! A line of 400 kbit/s takes three seconds for 1,500 records as [`RecordJson`] has them. Here they are a quarter of
//! that: what the client can derive is left out, numbers are short, and equal values follow each other, which deflate
//! likes.
//!
//! [`RecordJson`]: crate::web::record_json::RecordJson

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::image::{ImageRecord, OwnerId};

/// The number of digits of a hash that are sent. They tell nearly all files apart; who needs certainty asks the server.
const HASH_DIGITS: usize = 6;

/// The most bytes that the fields without texts of a record take.
const LONGEST_NUMBERS: usize = 240;

/// The data of the event. Each column has an entry for each image, in the same order, and is left out if it has only
/// `null`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Columns<'a> {
    count: usize,
    /// The 16 bytes of each id, as base64url.
    id: Vec<String>,
    /// Milliseconds since the time in the id.
    created_at: Vec<i64>,
    x: Vec<Number>,
    y: Vec<Number>,
    w: Vec<Number>,
    z: Vec<Number>,
    width: Vec<u32>,
    height: Vec<u32>,
    size: Vec<u64>,
    /// Without `image/`.
    r#type: Vec<&'a str>,
    /// The first digits only.
    sha256: Vec<&'a str>,
    file_name: Vec<&'a str>,
    #[serde(skip_serializing_if = "is_empty")]
    thumb: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "is_empty")]
    thumbhash: Vec<Option<&'a str>>,
    #[serde(skip_serializing_if = "is_empty")]
    caption: Vec<Option<&'a str>>,
    #[serde(skip_serializing_if = "is_empty")]
    alt: Vec<Option<&'a str>>,
    #[serde(skip_serializing_if = "is_empty")]
    author: Vec<Option<&'a str>>,
    #[serde(skip_serializing_if = "is_empty")]
    owner: Vec<Option<&'a OwnerId>>,
    #[serde(skip_serializing_if = "is_empty")]
    moved_by: Vec<Option<&'a str>>,
    #[serde(skip_serializing_if = "is_empty")]
    waiting: Vec<Option<u8>>,
    #[serde(skip_serializing_if = "is_empty")]
    damaged: Vec<Option<u8>>,
}

fn is_empty<T>(column: &[Option<T>]) -> bool {
    column.iter().all(Option::is_none)
}

/// The text of the event.
pub(crate) fn image_batch(records: &[&ImageRecord]) -> String {
    #[derive(Serialize)]
    struct Event<'a> {
        event: &'static str,
        data: Columns<'a>,
    }
    let event = Event {
        event: "Image:batch",
        data: columns(records),
    };
    serde_json::to_string(&event).expect("string keys and plain values")
}

fn columns<'a>(records: &[&'a ImageRecord]) -> Columns<'a> {
    fn column<'a, T>(records: &[&'a ImageRecord], value: impl Fn(&'a ImageRecord) -> T) -> Vec<T> {
        records.iter().map(|record| value(record)).collect()
    }
    let flag = |is_set: bool| is_set.then_some(1);
    Columns {
        count: records.len(),
        id: column(records, |record| {
            URL_SAFE_NO_PAD.encode(record.meta.id.as_bytes())
        }),
        created_at: column(records, |record| {
            record.meta.created_at.as_millis() - record.meta.id.ms()
        }),
        x: column(records, |record| rounded(record.placement.x)),
        y: column(records, |record| rounded(record.placement.y)),
        w: column(records, |record| rounded(record.placement.w)),
        z: column(records, |record| Number::from(record.placement.z)),
        width: column(records, |record| record.meta.width),
        height: column(records, |record| record.meta.height),
        size: column(records, |record| record.meta.size),
        r#type: column(records, |record| {
            record.meta.kind.mime().trim_start_matches("image/")
        }),
        sha256: column(records, |record| {
            let hash = &record.meta.sha256;
            hash.get(..HASH_DIGITS).unwrap_or(hash)
        }),
        file_name: column(records, |record| record.meta.file_name.as_str()),
        thumb: column(records, |record| flag(record.has_thumb())),
        thumbhash: column(records, |record| record.thumbhash.as_deref()),
        caption: column(records, |record| record.caption.as_deref()),
        alt: column(records, |record| record.meta.alt.as_deref()),
        author: column(records, |record| record.meta.author.as_deref()),
        owner: column(records, |record| record.meta.owner.as_ref()),
        moved_by: column(records, |record| record.moved_by.as_deref()),
        waiting: column(records, |record| flag(record.meta.waiting)),
        damaged: column(records, |record| flag(record.meta.damaged)),
    }
}

/// Hundredths of a CSS pixel are invisible at every scale.
fn rounded(coordinate: f64) -> Number {
    Number::from((coordinate * 100.0).round() / 100.0)
}

/// A number that is written without `.0`.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fractional(f64),
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        // A cast from a float saturates.
        let whole = number as i64;
        if whole as f64 == number {
            Self::Whole(whole)
        } else {
            Self::Fractional(number)
        }
    }
}

/// An upper bound on the bytes that a record adds to a batch, before compression.
pub(crate) fn longest(record: &ImageRecord) -> usize {
    let texts = [
        Some(record.meta.file_name.as_str()),
        record.meta.alt.as_deref(),
        record.meta.author.as_deref(),
        record.caption.as_deref(),
        record.moved_by.as_deref(),
        record.thumbhash.as_deref(),
    ];
    let texts = texts.into_iter().flatten().map(escaped_length);
    LONGEST_NUMBERS + texts.sum::<usize>()
}

fn escaped_length(text: &str) -> usize {
    let length = |byte| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_batch_has_columns_without_what_the_client_can_derive() {
        let mut captioned = ImageRecord::example();
        captioned.caption = Some("Ahoy".into());
        captioned.thumb = Some(true);
        captioned.placement.x = 1.0 / 3.0;
        let text = image_batch(&[&ImageRecord::example(), &captioned]);
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            event,
            json!({"event": "Image:batch", "data": {
                "count": 2,
                "id": ["AZS9LHoAcACAAAAAAAAAAQ", "AZS9LHoAcACAAAAAAAAAAQ"],
                "createdAt": [-15_796_224, -15_796_224],
                "x": [-1.5, 0.33], "y": [0, 0], "w": [240, 240], "z": [7, 7],
                "width": [2, 2], "height": [1, 1], "size": [3, 3], "type": ["png", "png"],
                "sha256": ["ababab", "ababab"], "fileName": ["cat \"1\".png", "cat \"1\".png"],
                "thumb": [null, 1], "caption": [null, "Ahoy"], "author": ["Åsa", "Åsa"],
            }})
        );
    }

    #[test]
    fn the_bound_on_the_length_holds() {
        let mut record = ImageRecord::example();
        let number = -1_000_000.0 / 3.0;
        record.placement.x = number;
        record.placement.y = number;
        record.placement.w = number;
        record.placement.z = number;
        record.meta.size = u64::MAX;
        record.meta.width = u32::MAX;
        record.meta.height = u32::MAX;
        record.caption = Some("\n\"\\\u{1}é".repeat(40));
        record.meta.alt = record.caption.clone();
        record.moved_by = record.meta.author.clone();
        record.thumbhash = Some("a".repeat(40));
        record.meta.waiting = true;
        record.meta.damaged = true;
        record.thumb = Some(true);
        let records = [&record; 100];
        let each = (image_batch(&records).len() - image_batch(&records[..50]).len()) / 50;
        assert!(each <= longest(&record), "{each}");
    }
}
