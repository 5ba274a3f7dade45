//! What the web server reads, as targets for a fuzzer: see [`crate::fuzzing`].

use std::cell::RefCell;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::test::TestRequest;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::stream;
use sha2::{Digest as _, Sha256};
use tokio::runtime::{Builder, Runtime};

use super::access::credentials::{Credentials, cookie_tokens};
use super::sockets::commands::request::Request;
use super::sockets::protocol::deflate::inflate;
use super::sockets::protocol::frame_scanner::FrameScanner;
use super::upload_folder::UploadFolder;
use super::uploads::body::UploadBody;
use super::uploads::form;
use super::uploads::received_file::FileReceiver;
use super::uploads::space::DiskSpace;
use crate::image::BoardId;
use crate::store::Token;

/// The limit on an image in a form, in bytes.
const MAX_UPLOAD: u64 = 100_000;

/// The limit on a message of a socket, in bytes.
const MAX_MESSAGE: u64 = 1 << 16;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_all().build().expect("a runtime starts"),
    );
}

/// Reads a form with the boundary `x`. The first byte is the size of the pieces in which it arrives.
pub fn multipart(data: &[u8]) {
    let Some((size, form)) = data.split_first() else {
        return;
    };
    let piece = |piece: &[u8]| Ok::<_, PayloadError>(Bytes::copy_from_slice(piece));
    let pieces: Vec<_> = form.chunks(usize::from(*size).max(1)).map(piece).collect();
    let payload: Payload = Payload::Stream {
        payload: Box::pin(stream::iter(pieces)),
    };
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("multipart/form-data; boundary=x");
    headers.insert(header::CONTENT_TYPE, kind);
    let read = async {
        let folder = UploadFolder::of_system();
        let space = DiskSpace::default().reserve(&folder, MAX_UPLOAD).await?;
        let receiver = FileReceiver::new(folder, space);
        let body = UploadBody::new(payload, 2 * MAX_UPLOAD);
        form::read(&headers, body, MAX_UPLOAD, receiver, || Ok(())).await
    };
    let Ok(form) = RUNTIME.with_borrow(|runtime| runtime.block_on(read)) else {
        return;
    };
    assert!(form.image.length() <= MAX_UPLOAD);
    let file = form.image.read().expect("a temporary file can be read");
    assert_eq!(form.upload.sha256, HEXLOWER.encode(&Sha256::digest(&file)));
}

/// Parses a command.
pub fn socket_command(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        let request = Request::parse(text);
        let reference = request.reference;
        assert!(reference.is_null() || reference.is_string() || reference.is_number());
    }
}

/// Scans frames, which are the same in whatever pieces they arrive, and inflates a message.
pub fn socket_frames(data: &[u8]) {
    for takes_compressed in [false, true] {
        let mut scanner = FrameScanner::new(MAX_MESSAGE, takes_compressed);
        let mut frames = Vec::new();
        let whole = scanner.scan(data, |at| frames.push(at));
        let mut scanner = FrameScanner::new(MAX_MESSAGE, takes_compressed);
        let mut bytewise = Vec::new();
        let in_pieces = data.chunks(1).enumerate().try_for_each(|(at, byte)| {
            let scanned = scanner.scan(byte, |_| bytewise.push(at));
            scanned.map_err(|(_, code)| code)
        });
        assert_eq!(whole.map_err(|(_, code)| code), in_pieces);
        assert_eq!(frames, bytewise);
    }
    if let Ok(inflated) = inflate(data, MAX_MESSAGE as usize) {
        assert!(inflated.len() as u64 <= MAX_MESSAGE);
    }
}

/// Reads tokens from the path of a link, from cookies and from `Authorization`.
pub fn credentials(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        if let Ok(token) = text.parse::<Token>() {
            assert_eq!(token.reveal(), text);
        }
        if let Ok(board) = text.parse::<BoardId>() {
            assert_eq!(board.to_string(), text);
        }
    }
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    for name in [header::COOKIE, header::AUTHORIZATION] {
        let request = TestRequest::default()
            .insert_header((name, value.clone()))
            .to_http_request();
        let of_board = Credentials::of(&request, BoardId::default());
        assert!(of_board.hashes().len() <= 2);
        cookie_tokens(&request);
    }
}
