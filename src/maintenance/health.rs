//! `realtime-photo health`: asks a running server if it is ready, for containers that have no other program to do so.

use std::time::Duration;

use reqwest::StatusCode;

use super::client::client;

/// The time limit for the answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// It cannot be reached.
    #[error("cannot reach {0}: {1}")]
    Unreachable(String, reqwest::Error),
    /// It answers that it is not ready.
    #[error("{0} is not ready: {1}")]
    NotReady(String, StatusCode),
}

/// Asks the server at an address for `/readyz`. Accepts any certificate: that of the server is of its public name, it
/// is asked at an address of this machine, and no secret is sent or learned.
///
/// # Errors
///
/// If it is not ready, or does not answer within five seconds.
pub async fn health(server: &str) -> Result<(), HealthError> {
    let url = format!("{}/readyz", server.trim_end_matches('/'));
    let unreachable =
        |error: reqwest::Error| HealthError::Unreachable(server.to_owned(), error.without_url());
    let client = client()
        .timeout(TIMEOUT)
        .tls_danger_accept_invalid_certs(true)
        .build();
    let response = client.map_err(unreachable)?.get(url).send().await;
    let status = response.map_err(unreachable)?.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(HealthError::NotReady(server.to_owned(), status)),
    }
}
