//! JPEG: the whole picture, as red, green and blue or as gray. Inks become colours in the decoder, which does not ask their
//! profile.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::error::ImageError;
use image::{ColorType, ImageDecoder as _, Limits};

use super::colours::Colours;
use super::picture::Picture;
use super::{Bounds, Decoded, Unfit};

const KIND: &str = "JPEG";

pub(super) fn decode(bytes: &[u8], mut bounds: Bounds) -> Result<Decoded, Unfit> {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(unfit)?;
    let size = decoder.dimensions();
    bounds.size(KIND, size.0, size.1)?;
    let mut limits = Limits::no_limits();
    (limits.max_image_width, limits.max_image_height) = (Some(size.0), Some(size.1));
    decoder.set_limits(limits).map_err(unfit)?;
    let exif = decoder.exif_metadata().ok().flatten();
    let profile = decoder.icc_profile().ok().flatten();
    Ok(Decoded {
        picture: picture(decoder, &mut bounds)?,
        size,
        orientation: exif.map_or(1, |tiff| super::orientation(&tiff)),
        is_animated: false,
        is_lossless: false,
        colours: profile.map_or(Colours::Srgb, Colours::Profile),
    })
}

fn picture(decoder: JpegDecoder<Cursor<&[u8]>>, bounds: &mut Bounds) -> Result<Picture, Unfit> {
    let size = decoder.dimensions();
    let _turn = bounds.turn(size.0, size.1);
    bounds.time()?;
    let colour_type = decoder.color_type();
    let length = usize::try_from(decoder.total_bytes()).map_err(|_| Unfit::TooSlow)?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(unfit)?;
    bounds.time()?;
    match colour_type {
        ColorType::L8 => Picture::shrunk(size, &pixels, *bounds, |&[gray]| [gray, gray, gray, 255]),
        _ => Picture::shrunk(size, &pixels, *bounds, |&[red, green, blue]| {
            [red, green, blue, 255]
        }),
    }
}

fn unfit(error: ImageError) -> Unfit {
    drop(error);
    Unfit::Damaged(KIND, "it cannot be decoded")
}
