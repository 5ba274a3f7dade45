//! The meaning of the numbers of the pixels, and their conversion to sRGB, which every browser knows.

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

use super::bitmap::Bitmap;

/// The longest profile that is kept. The matrix profiles of cameras and telephones have some 500 bytes, and thumbnails
/// with them keep colours outside sRGB; one of several thousand bytes would be a good part of the thumbnail.
const KEPT_PROFILE: usize = 1024;

/// The meaning of the numbers of a bitmap.
pub(in crate::image) enum Colours {
    /// As in sRGB, or nothing is said.
    Srgb,
    /// As an ICC profile says.
    Profile(Vec<u8>),
    /// As a PNG says with numbers of its own.
    Gamma {
        /// The exponent that the bitmap was coded with, 1/2.2 for usual ones.
        gamma: f32,
        /// White, red, green and blue; those of sRGB if it does not say.
        primaries: Option<[(f32, f32); 4]>,
    },
    /// By the numbers of ITU-T H.273.
    CodePoints {
        /// Which red, green and blue.
        primaries: u8,
        /// Which curve.
        transfer: u8,
    },
}

impl Colours {
    /// Converts the bitmap to sRGB, or answers with the profile that it has to be shown with. A profile that cannot be
    /// used is ignored, as browsers do.
    pub(in crate::image) fn settle(self, bitmap: &mut Bitmap) -> Option<Vec<u8>> {
        let profile = match self {
            Self::Srgb => return None,
            Self::Profile(bytes) => {
                let profile = ColorProfile::new_from_slice(&bytes).ok()?;
                if profile.color_space == DataColorSpace::Rgb && bytes.len() <= KEPT_PROFILE {
                    return Some(bytes);
                }
                profile
            }
            Self::Gamma { gamma, primaries } => gamma_profile(gamma, primaries)?,
            Self::CodePoints {
                primaries,
                transfer,
            } => code_point_profile(primaries, transfer)?,
        };
        convert(&profile, bitmap);
        None
    }

    /// Converts the bitmap to sRGB, whatever it was in.
    pub(in crate::image) fn convert_to_srgb(self, bitmap: &mut Bitmap) {
        let kept = self.settle(bitmap);
        if let Some(profile) = kept.and_then(|bytes| ColorProfile::new_from_slice(&bytes).ok()) {
            convert(&profile, bitmap);
        }
    }
}

/// A PNG's `gAMA` and `cHRM`. The usual ones mean sRGB.
fn gamma_profile(gamma: f32, primaries: Option<[(f32, f32); 4]>) -> Option<ColorProfile> {
    const SRGB: [(f32, f32); 4] = [(0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)];
    let is_near = |a: f32, b: f32| (a - b).abs() < 0.005;
    let points = primaries.unwrap_or(SRGB);
    let has_srgb_points = points
        .iter()
        .zip(SRGB)
        .all(|(point, usual)| is_near(point.0, usual.0) && is_near(point.1, usual.1));
    // Outside of this, no display ever was.
    if !(0.1..=10.0).contains(&gamma) || (has_srgb_points && is_near(gamma, 1.0 / 2.2)) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    if !has_srgb_points {
        let [white, red, green, blue] = points.map(|(x, y)| Chromaticity { x, y });
        if [white, red, green, blue].iter().any(|point| point.y <= 0.0) {
            return None;
        }
        profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
    }
    let curve = Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
    profile.cicp = None;
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    Some(profile)
}

fn code_point_profile(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
    let is_srgb = color_primaries == CicpColorPrimaries::Bt709
        && transfer_characteristics == TransferCharacteristics::Srgb;
    // The curves of HDR reach far above the white of a page: converted, what is not glaring would be nearly black.
    let is_hdr = matches!(
        transfer_characteristics,
        TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg
    );
    if is_srgb || is_hdr {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    // It has no curves if these numbers are not known.
    profile.red_trc.is_some().then_some(profile)
}

/// Leaves the bitmap as it is if the profile does not fit.
fn convert(profile: &ColorProfile, bitmap: &mut Bitmap) {
    let srgb = ColorProfile::new_srgb();
    let is_gray = profile.color_space == DataColorSpace::Gray;
    let layout = if is_gray {
        Layout::GrayAlpha
    } else {
        Layout::Rgba
    };
    if !is_gray && profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, Layout::Rgba, options) else {
        return;
    };
    let mut converted = vec![[0; 4]; bitmap.pixels.len()];
    let target = converted.as_flattened_mut();
    let done = if is_gray {
        let gray: Vec<_> = bitmap
            .pixels
            .iter()
            .map(|&[gray, _, _, alpha]| [gray, alpha])
            .collect();
        transform.transform(gray.as_flattened(), target)
    } else {
        transform.transform(bitmap.pixels.as_flattened(), target)
    };
    if done.is_ok() {
        bitmap.pixels = converted;
    }
}
