//! The server as seen by clients: HTTP and WebSocket, on the embedded engine or on the RethinkDB at
//! `TEST_RETHINKDB_URL`.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod access;
mod announcements;
mod archive;
mod batches;
mod boards;
mod crash;
mod faults;
mod files;
mod guard;
mod guarded;
mod headers;
mod helpers;
mod https;
mod images;
mod latest;
mod limits;
mod links;
mod metrics;
mod moderation;
mod outage;
mod pages;
mod people;
mod proxy;
mod published;
mod removal;
mod sessions;
mod slow;
mod socket;
mod thumbs;
mod transfers;
mod upload;
mod viewer;
