//! Image records as clients see them: the stored fields plus the URLs of the file and its thumbnail.

use serde::Serialize;

use crate::image::{ImageId, ImageMeta, ImageRecord, Placement};

/// JSON form of an image without its placement, as `/latest` receives it.
#[derive(Serialize)]
pub(crate) struct MetaJson<'a> {
    #[serde(flatten)]
    meta: &'a ImageMeta,
    url: String,
}

/// JSON form of an image on the board, as HTTP answers and board events contain it.
#[derive(Serialize)]
pub(crate) struct RecordJson<'a> {
    #[serde(flatten)]
    meta: MetaJson<'a>,
    #[serde(flatten)]
    placement: &'a Placement,
    /// URL of the thumbnail, absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbhash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<&'a str>,
    #[serde(rename = "movedBy", skip_serializing_if = "Option::is_none")]
    moved_by: Option<&'a str>,
    #[serde(rename = "restoredBy", skip_serializing_if = "Option::is_none")]
    restored_by: Option<&'a str>,
}

impl<'a> From<&'a ImageMeta> for MetaJson<'a> {
    fn from(meta: &'a ImageMeta) -> Self {
        Self {
            meta,
            url: image_url(meta.id),
        }
    }
}

impl<'a> From<&'a ImageRecord> for RecordJson<'a> {
    fn from(record: &'a ImageRecord) -> Self {
        let url = image_url(record.meta.id);
        let thumb = record.has_thumb().then(|| format!("{url}/thumb"));
        Self {
            meta: MetaJson {
                meta: &record.meta,
                url,
            },
            placement: &record.placement,
            thumb,
            thumbhash: record.thumbhash.as_deref(),
            caption: record.caption.as_deref(),
            moved_by: record.moved_by.as_deref(),
            restored_by: record.restored_by.as_deref(),
        }
    }
}

/// Path of an image's file on this server.
pub(crate) fn image_url(id: ImageId) -> String {
    format!("/image/{id}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(thumb: Option<bool>) -> ImageRecord {
        ImageRecord {
            thumb,
            ..ImageRecord::example()
        }
    }

    #[test]
    fn a_record_has_its_url_and_omits_absent_fields() {
        assert_eq!(
            serde_json::to_value(RecordJson::from(&record(None))).unwrap(),
            json!({
                "id": "0194bd2c-7a00-7000-8000-000000000001", "fileName": "cat \"1\".png", "type": "image/png",
                "size": 3, "width": 2, "height": 1, "sha256": "ab".repeat(32), "author": "Åsa",
                "createdAt": "2025-01-31T12:00:00.000Z", "x": -1.5, "y": 0.0, "w": 240.0, "z": 7.0,
                "url": "/image/0194bd2c-7a00-7000-8000-000000000001",
            })
        );
    }

    #[test]
    fn a_record_has_a_thumbnail_url_only_if_a_thumbnail_is_stored() {
        let thumb =
            |thumb| serde_json::to_value(RecordJson::from(&record(thumb))).unwrap()["thumb"].take();
        assert_eq!(
            thumb(Some(true)),
            "/image/0194bd2c-7a00-7000-8000-000000000001/thumb"
        );
        assert_eq!(thumb(Some(false)), Value::Null);
    }
}
