//! Moves of an image, and their numbers in what arrives. The number is the horizontal position that the image is moved
//! to.

use memchr::memmem;

/// The command that moves an image, as during a drag.
pub(crate) fn command(id: &str, number: usize) -> String {
    format!(
        r#"{{"event":"Image:update","data":{{"id":"{id}","x":{number},"y":0,"moving":true}},"ref":{number}}}"#
    )
}

/// The number of the move in an event of the server; none if it is another event.
pub(crate) fn in_event(text: &[u8]) -> Option<usize> {
    text.starts_with(br#"{"event":"Image:update""#)
        .then(|| position(text))?
}

/// The numbers of the moves in a response of a changefeed.
pub(crate) fn in_response(body: &[u8]) -> impl Iterator<Item = usize> {
    memmem::find_iter(body, br#""new_val":{"#).filter_map(|at| position(&body[at..]))
}

/// The first horizontal position in some JSON.
fn position(json: &[u8]) -> Option<usize> {
    let at = memmem::find(json, br#""x":"#)? + 4;
    let digits = json[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}
