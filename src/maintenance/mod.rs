//! What the program does besides serving, each a subcommand.

mod check;

pub use check::check;
