//! The form of an upload (`multipart/form-data`, RFC 7578).

use std::str::FromStr;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::{ContentDisposition, HeaderMap};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::body::UploadBody;
use super::disk::disk_problem;
use super::received_file::{FileReceiver, ReceivedFile};
use super::size_limit::{FORM_ALLOWANCE, too_large};
use crate::image::Upload;
use crate::web::http::problem::Problem;

/// The largest number of fields in a form, including unknown ones.
const MAX_FIELDS: usize = 32;

/// The largest text field, in bytes: a description of 1,000 characters with four bytes each, rounded up.
const MAX_TEXT: usize = 8 << 10;

/// A form that has been read.
pub(crate) struct UploadForm {
    /// All that the form says of the image. The bytes of its `file` are in `image`.
    pub(crate) upload: Upload,
    pub(crate) image: ReceivedFile,
}

/// Reads a form with an image of at most `max_upload` bytes, which `receiver` takes. Fields may come in any order, and
/// unknown ones are skipped. `count` is called when the first byte of the image arrives, so a form without an image
/// does not count.
///
/// # Errors
///
/// 400 if the form is malformed, 413 if the image is too large, 507 if the disk is full, and that of `count`, as soon
/// as any is known.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: UploadBody,
    max_upload: u64,
    receiver: FileReceiver,
    count: impl FnOnce() -> Result<(), Problem>,
) -> Result<UploadForm, Problem> {
    let mut form = Multipart::new(headers, body.clone());
    let mut reader = FormReader {
        max_upload,
        receiver: Some(receiver),
        count: Some(count),
        upload: Upload::default(),
        image: None,
        part_name: None,
        seen: Vec::new(),
    };
    for _ in 0..MAX_FIELDS {
        match form.try_next().await {
            Ok(Some(field)) if field.name() == Some("file") => {
                let before = body.received();
                let is_image_too_large = || before <= FORM_ALLOWANCE && body.is_over_limit();
                reader.file(field, is_image_too_large).await?;
            }
            Ok(Some(field)) => reader.field(field).await?,
            Ok(None) => return reader.finish(),
            Err(error) => return Err(malformed(&error)),
        }
    }
    Err(Problem::bad_request("The form has too many fields."))
}

/// The fields read so far.
struct FormReader<C> {
    max_upload: u64,
    /// Takes the image. `None` once there is one.
    receiver: Option<FileReceiver>,
    count: Option<C>,
    upload: Upload,
    image: Option<ReceivedFile>,
    /// The file name in the header of the file's part.
    part_name: Option<String>,
    seen: Vec<&'static str>,
}

impl<C: FnOnce() -> Result<(), Problem>> FormReader<C> {
    async fn field(&mut self, mut field: Field) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "fileName" => self.upload.file_name = self.text("fileName", field).await?,
            "author" => self.upload.author = self.text("author", field).await?,
            "alt" => self.upload.alt = self.text("alt", field).await?,
            "x" => self.upload.requested.x = self.value("x", field, "a number").await?,
            "y" => self.upload.requested.y = self.value("y", field, "a number").await?,
            "w" => self.upload.requested.w = self.value("w", field, "a number").await?,
            "id" => self.upload.id = self.value("id", field, "a UUIDv7").await?,
            // Includes `type`: the type is detected from the bytes.
            _ => while chunk(&mut field).await?.is_some() {},
        }
        Ok(())
    }

    /// Reads the image. The body can exceed its limit before the image does here, because the parser buffers.
    async fn file(
        &mut self,
        mut field: Field,
        is_too_large: impl Fn() -> bool,
    ) -> Result<(), Problem> {
        let receiver = self.receiver.take();
        let mut receiver =
            receiver.ok_or_else(|| Problem::bad_request("A form carries one image."))?;
        self.part_name = field.content_disposition().and_then(part_name);
        let mut hash = Sha256::new();
        loop {
            let chunk = match chunk(&mut field).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(_) if is_too_large() => return Err(too_large(self.max_upload)),
                Err(problem) => return Err(problem),
            };
            if let Some(count) = self.count.take() {
                count()?;
            }
            if receiver.length() + chunk.len() as u64 > self.max_upload {
                return Err(too_large(self.max_upload));
            }
            hash.update(&chunk);
            receiver.write(&chunk).await.map_err(disk_problem)?;
        }
        self.image = Some(receiver.finish().await.map_err(disk_problem)?);
        self.upload.sha256 = HEXLOWER.encode(&hash.finalize());
        Ok(())
    }

    async fn text(
        &mut self,
        name: &'static str,
        mut field: Field,
    ) -> Result<Option<String>, Problem> {
        if self.seen.contains(&name) {
            return Err(Problem::bad_request(format!(
                "The form has the field {name} twice."
            )));
        }
        self.seen.push(name);
        let mut bytes = Vec::new();
        while let Some(chunk) = chunk(&mut field).await? {
            if bytes.len() + chunk.len() > MAX_TEXT {
                return Err(Problem::bad_request(format!(
                    "The field {name} is too long."
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Problem::bad_request(format!("The field {name} is not UTF-8.")))?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    async fn value<T: FromStr>(
        &mut self,
        name: &'static str,
        field: Field,
        what: &str,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: String| {
            text.trim()
                .parse()
                .map_err(|_| Problem::bad_request(format!("The field {name} must be {what}.")))
        };
        self.text(name, field).await?.map(parse).transpose()
    }

    fn finish(self) -> Result<UploadForm, Problem> {
        let missing = || Problem::bad_request("The form has no field named file.");
        let image = self.image.ok_or_else(missing)?;
        let file_name = self.upload.file_name.or(self.part_name);
        let upload = Upload {
            file_name,
            ..self.upload
        };
        Ok(UploadForm { upload, image })
    }
}

/// Returns the file name of a part. RFC 7578 forbids `filename*`, but some clients send it for names that are not
/// ASCII.
fn part_name(part: &ContentDisposition) -> Option<String> {
    let extended = part
        .get_filename_ext()
        .and_then(|name| String::from_utf8(name.value.clone()).ok());
    extended.or_else(|| part.get_filename().map(unescape))
}

/// Decodes the three characters that browsers escape in a file name. They escape nothing else, not even the percent
/// sign (HTML standard, "multipart/form-data encoding algorithm").
fn unescape(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

async fn chunk(field: &mut Field) -> Result<Option<Bytes>, Problem> {
    let chunk = field.next().await.transpose();
    chunk.map_err(|error| malformed(&error))
}

fn malformed(error: &MultipartError) -> Problem {
    Problem::bad_request(match error {
        // The parser reports the same for an endless part header and for an endless preamble.
        MultipartError::Payload(PayloadError::Overflow) => {
            "The form holds too much besides the image."
        }
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => "The body must be multipart/form-data.",
        _ => "The form is malformed or incomplete.",
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use actix_web::ResponseError as _;
    use actix_web::test::TestRequest;

    use super::*;
    use crate::web::upload_folder::UploadFolder;
    use crate::web::uploads::space::DiskSpace;

    /// Reads a form with one field. Returns the status if it is refused, and how often `count` was called.
    async fn read_one(field: &str, counted: Result<(), Problem>) -> (Option<u16>, usize) {
        let form =
            format!("--b\r\nContent-Disposition: form-data; {field}\r\n\r\nbytes\r\n--b--\r\n");
        let request = TestRequest::default()
            .insert_header(("content-type", "multipart/form-data; boundary=b"))
            .set_payload(form);
        let (request, payload) = request.to_http_parts();
        let folder = UploadFolder::of_system();
        let space = DiskSpace::default().reserve(&folder, 0).await.unwrap();
        let calls = Cell::new(0);
        let count = || {
            calls.set(calls.get() + 1);
            counted
        };
        let body = UploadBody::new(payload, 1000);
        let receiver = FileReceiver::new(folder, space);
        let form = read(request.headers(), body, 1000, receiver, count).await;
        let status = form.err().map(|problem| problem.status_code().as_u16());
        (status, calls.get())
    }

    #[actix_web::test]
    async fn only_a_form_with_an_image_counts() {
        assert_eq!(read_one("name=author", Ok(())).await, (Some(400), 0));
        let file = "name=file; filename=a.png";
        assert_eq!(read_one(file, Ok(())).await, (None, 1));
        let refused = Problem::forbidden("too many");
        assert_eq!(read_one(file, Err(refused)).await, (Some(403), 1));
    }
}
