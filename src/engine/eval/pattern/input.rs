//! A pattern while it is read, and what is wrong with it.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::engine::error::ReqlError;

/// The reason why RE2 does not accept a pattern, and the part of the pattern that shows it.
pub(super) struct Flaw {
    reason: String,
    portion: String,
}

impl Flaw {
    pub(super) fn new(reason: &str, portion: &str) -> Self {
        Self {
            reason: reason.into(),
            portion: portion.into(),
        }
    }

    pub(super) fn explain(&self, pattern: &str) -> ReqlError {
        let Self { reason, portion } = self;
        let reason = match portion.as_str() {
            "" => reason.clone(),
            portion => format!("{reason}: {portion}"),
        };
        ReqlError::logic(format!(
            "Error in regexp `{pattern}` (portion `{portion}`): {reason}"
        ))
    }
}

/// The rest of a pattern.
pub(super) struct Input<'a> {
    pattern: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        Self {
            pattern,
            chars: pattern.char_indices().peekable(),
        }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        self.chars.next().map(|(_, c)| c)
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    /// The position in the pattern.
    pub(super) fn position(&mut self) -> usize {
        self.chars
            .peek()
            .map_or(self.pattern.len(), |(position, _)| *position)
    }

    /// The whole pattern.
    pub(super) fn whole(&self) -> &'a str {
        self.pattern
    }

    /// The rest of the pattern.
    pub(super) fn rest(&mut self) -> &'a str {
        &self.pattern[self.position()..]
    }

    /// Skips text that [`Input::rest`] starts with.
    pub(super) fn skip(&mut self, text: &str) {
        for _ in text.chars() {
            self.next();
        }
    }

    /// The pattern from a position up to the current one.
    pub(super) fn since(&mut self, start: usize) -> &'a str {
        &self.pattern[start..self.position()]
    }
}
