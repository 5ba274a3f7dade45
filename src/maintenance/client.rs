//! The HTTP client of subcommands that ask a running server.

use reqwest::{Client, ClientBuilder};
use rustls::crypto::ring;

/// A client that asks the server itself: a proxy of the environment would be sent its tokens.
pub(super) fn client() -> ClientBuilder {
    // The client takes its cryptography from here. Fails if that is set already.
    let _ = ring::default_provider().install_default();
    Client::builder().no_proxy()
}
