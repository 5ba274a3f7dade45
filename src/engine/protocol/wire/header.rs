//! The header of a frame.

/// The size of a header: token and length.
pub(crate) const HEADER_BYTES: usize = 12;

/// The longest query that RethinkDB accepts (`MAX_QUERY_SIZE` in `client_protocol/protocols.hpp`).
pub(crate) const MAX_QUERY_BYTES: u32 = 134_217_727;

/// Reads the token and the length of the JSON that follows.
pub(crate) fn parse_header(header: [u8; HEADER_BYTES]) -> (i64, u32) {
    let (token, length) = header.split_at(8);
    (
        i64::from_le_bytes(token.try_into().expect("8 of 12 bytes")),
        u32::from_le_bytes(length.try_into().expect("4 of 12 bytes")),
    )
}
