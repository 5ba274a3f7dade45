//! The program as a process: start-up, start-up errors, shutdown, and the data that survives it.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod backup;
mod damage;
mod disks;
mod failing_disk;
mod full_disk;
mod packaging;
mod server;
mod start;
mod stop;
mod survive;
mod tools;
