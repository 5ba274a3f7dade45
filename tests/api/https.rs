//! HTTPS by the server itself.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use realtime_photo::config::TlsFiles;
use realtime_photo::maintenance::{HealthError, health};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::helpers::{TestApp, spawn_with_options, timely};

/// Writes a new certificate for `localhost`. Returns it.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

async fn secure_app(folder: &TempDir) -> TestApp {
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    spawn_with_options(|settings| settings.tls = Some(files)).await
}

/// Connects as a client that trusts one certificate and speaks these protocols. `None` if the server has another
/// certificate.
async fn connect(
    app: &TestApp,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let stream = TcpStream::connect(app.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()
}

async fn get(app: &TestApp, trusted: &CertificateDer<'static>, path: &str) -> String {
    let mut stream = connect(app, trusted, &["http/1.1"]).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The server may end the connection without a close_notify.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn pages_images_and_sockets_are_served_by_https() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_certificate(folder.path());
    let app = secure_app(&folder).await;
    let answer = get(&app, &certificate, "/").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for expected in [
        "strict-transport-security: max-age=31536000",
        "set-cookie: photo-owner=",
        "; Secure;",
    ] {
        assert!(answer.contains(expected), "{expected}\n{}", &answer[..800]);
    }
    let stream = connect(&app, &certificate, &["http/1.1"]).await.unwrap();
    let url = "wss://localhost/ws";
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let first = timely("the first event", futures::StreamExt::next(&mut socket)).await;
    let first: Value = serde_json::from_str(first.unwrap().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(first["event"], "Board:update");
    let http2 = connect(&app, &certificate, &["h2", "http/1.1"])
        .await
        .unwrap();
    assert_eq!(http2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_certificate(folder.path());
    let app = secure_app(&folder).await;
    assert!(connect(&app, &old, &[]).await.is_some());
    let new = write_certificate(folder.path());
    let replaced = async {
        while connect(&app, &new, &[]).await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    timely("the new certificate", replaced).await;
    assert!(connect(&app, &old, &[]).await.is_none());
}

#[tokio::test]
async fn health_asks_a_server_with_a_certificate_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path());
    let app = secure_app(&folder).await;
    let url = format!("https://{}", app.address);
    health(&url).await.unwrap();
    let missing = health(&format!("{url}/no")).await.unwrap_err();
    assert!(
        matches!(&missing, HealthError::NotReady(_, status) if status.as_u16() == 404),
        "{missing}"
    );
    let plain = health(&format!("http://{}", app.address)).await;
    assert!(plain.is_err(), "{plain:?}");
}
