//! Wire-level behaviour that no recorded conversation shows.
