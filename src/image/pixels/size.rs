//! The size of thumbnails.

/// The longest side of a thumbnail, in pixels.
pub const MAX_SIDE: u32 = 512;

/// The size of the thumbnail of a bitmap of this size.
pub(in crate::image) fn small_size(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= MAX_SIDE {
        return (width, height);
    }
    let shrunk = |side: u32| {
        let side =
            (u64::from(side) * u64::from(MAX_SIDE) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(side).map_or(MAX_SIDE, |side| side.clamp(1, MAX_SIDE))
    };
    (shrunk(width), shrunk(height))
}
