//! Photos to upload.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client};
use serde_json::Value;

/// A JPEG that can be uploaded many times, each time as another file.
#[derive(Clone)]
pub(crate) struct Photo(Bytes);

/// The marker of a JPEG's start, and those that follow in an upload: a comment with a number.
const START: usize = 2;

impl Photo {
    /// A JPEG as phones make them (4:2:0), of the best quality that needs at most this number of bytes.
    pub(crate) fn new(width: u16, height: u16, bytes: usize) -> Self {
        let pixels = scene(width, height);
        let encode = |quality| {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, quality);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder
                .encode(&pixels, width, height, ColorType::Rgb)
                .unwrap();
            bytes
        };
        let qualities: Vec<u8> = (1..=100).collect();
        let fitting = qualities.partition_point(|&quality| encode(quality).len() <= bytes);
        Self(encode(qualities[fitting.saturating_sub(1)]).into())
    }

    /// A JPEG of about so many bytes, of a quality as phones choose it.
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        let width = (bytes as f64 * 8.0 / 0.75).sqrt() as u16;
        Self::new(width, width / 4 * 3, bytes)
    }

    /// The number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Uploads the photo. Equal numbers make equal files. Returns the record.
    pub(crate) async fn upload(&self, client: &Client, url: &str, number: usize) -> Value {
        let mut head = self.0[..START].to_vec();
        head.extend([0xff, 0xfe, 0, 10]);
        head.extend((number as u64).to_be_bytes());
        let parts = [Bytes::from(head), self.0.slice(START..)];
        let length = parts.iter().map(Bytes::len).sum::<usize>();
        let body = Body::wrap_stream(stream::iter(parts.map(Ok::<_, std::io::Error>)));
        let file = Part::stream_with_length(body, length as u64).file_name("photo.jpg");
        let request = client
            .post(format!("{url}image"))
            .multipart(Form::new().part("file", file));
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 201, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// Puts small photos on a board until it has `count`. Returns the id of one.
pub(crate) async fn fill_board(url: &str, count: usize) -> String {
    let records = upload_all(url, &Photo::new(64, 48, 1_000), count, 8).await;
    records[0]["id"].as_str().unwrap().to_owned()
}

/// Uploads a photo `count` times, `at_once` of them at the same time, each time as another file. Returns the records.
pub(crate) async fn upload_all(
    url: &str,
    photo: &Photo,
    count: usize,
    at_once: usize,
) -> Vec<Value> {
    let client = Client::new();
    let uploads = (0..count).map(|number| photo.upload(&client, url, number));
    stream::iter(uploads)
        .buffer_unordered(at_once)
        .collect()
        .await
}

/// Something like a photo: soft areas of colour, edges, and the grain of a sensor.
fn scene(width: u16, height: u16) -> Vec<u8> {
    let mut random = SmallRng::seed_from_u64(1);
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (
                f32::from(x) / f32::from(width),
                f32::from(y) / f32::from(width),
            );
            let wave = (u * 23.0 + (v * 17.0).sin() * 3.0).sin() * 40.0;
            let leaf = if (u * 61.0).sin() * (v * 53.0).cos() > 0.3 {
                30.0
            } else {
                0.0
            };
            let grain = random.random_range(-14.0..14.0);
            for base in [110.0 + 80.0 * u, 120.0 + 60.0 * v, 150.0 - 90.0 * u] {
                pixels.push((base + wave + leaf + grain) as u8);
            }
        }
    }
    pixels
}
