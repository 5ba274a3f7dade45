//! `realtime-photo health`: asks a running server if it is ready, for containers that have no other program to do so.
//!
//! TLS is done here and not by `reqwest`: with its feature for that, every client of the tests would need a provider of
//! cryptography first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The time limit for the answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// It cannot be reached.
    #[error("cannot reach {0}: {1}")]
    Unreachable(String, String),
    /// It answers that it is not ready.
    #[error("{0} is not ready: {1}")]
    NotReady(String, StatusCode),
}

/// Asks the server at an address for `/readyz`. Accepts any certificate: it sends and learns no secret.
///
/// # Errors
///
/// If it is not ready, or does not answer within five seconds.
pub async fn health(server: &str) -> Result<(), HealthError> {
    let url = format!("{}/readyz", server.trim_end_matches('/'));
    let status = if server.starts_with("https:") {
        status_over_tls(&url).await
    } else {
        status(&url).await
    };
    match status.map_err(|reason| HealthError::Unreachable(server.to_owned(), reason))? {
        status if status.is_success() => Ok(()),
        status => Err(HealthError::NotReady(server.to_owned(), status)),
    }
}

async fn status(url: &str) -> Result<StatusCode, String> {
    let reason = |error: reqwest::Error| error.without_url().to_string();
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build();
    let response = client.map_err(reason)?.get(url).send().await;
    Ok(response.map_err(reason)?.status())
}

async fn status_over_tls(url: &str) -> Result<StatusCode, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(TIMEOUT, first_bytes(&url)).await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    // HTTP/1.1 200 OK (RFC 9112, section 4).
    StatusCode::from_bytes(&answer[9..]).map_err(|error| error.to_string())
}

/// The start of the answer to a GET, up to the status.
async fn first_bytes(url: &Url) -> io::Result<[u8; 12]> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let stream = TcpStream::connect(format!("{host}:{port}")).await?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(io::Error::other)?;
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    let path = url.path();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// Accepts any certificate: it is that of a name in the network, and the server is asked at an address of this machine.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
