//! The certificate for HTTPS, which is loaded again when its files change.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use super::error::StartupError;
use crate::config::TlsFiles;

/// The pause between two looks at the files. Certificates are renewed weeks before they expire.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Loads the certificate and follows its files until `shutdown`. Must be called within a tokio runtime.
///
/// # Errors
///
/// If the files cannot be read or do not belong together.
pub(super) fn configure(
    files: TlsFiles,
    shutdown: CancellationToken,
) -> Result<ServerConfig, StartupError> {
    let provider = Arc::new(ring::default_provider());
    let version = version_of(&files);
    let key = load(&files, &provider).map_err(|reason| StartupError::Tls {
        certificate: files.certificate.clone(),
        reason,
    })?;
    let current = Arc::new(CurrentKey(RwLock::new(Arc::new(key))));
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(current.clone());
    let following = follow(files, version, current, provider);
    tokio::spawn(async move { shutdown.run_until_cancelled(following).await });
    Ok(config)
}

/// The certificate that new connections get.
#[derive(Debug)]
struct CurrentKey(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentKey {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.0
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }
}

/// Loads the certificate whenever a file changes. One that cannot be used is logged, and the last one stays: the two
/// files are not written at the same moment.
async fn follow(
    files: TlsFiles,
    mut version: Version,
    current: Arc<CurrentKey>,
    provider: Arc<CryptoProvider>,
) {
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let latest = version_of(&files);
        if latest == version {
            continue;
        }
        match load(&files, &provider) {
            Ok(key) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                log::info!("the certificate has been replaced");
            }
            Err(reason) => log::warn!("the new certificate cannot be used: {reason}"),
        }
        version = latest;
    }
}

/// The times at which both files were changed, and their lengths.
type Version = [Option<(SystemTime, u64)>; 2];

fn version_of(files: &TlsFiles) -> Version {
    [&files.certificate, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

/// Reads a certificate with its chain, and its key. Returns the reason in a sentence if they cannot be used.
fn load(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&files.certificate, &error))?;
    if chain.is_empty() {
        let path = files.certificate.display();
        return Err(format!("{path} contains no certificate in PEM format"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| unreadable(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| error.to_string())
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Writes a new certificate and its key.
    fn write(folder: &Path, name: &str) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let files = TlsFiles {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (write(folder.path(), "one"), write(folder.path(), "other"));
        let provider = ring::default_provider();
        assert!(load(&one, &provider).is_ok());
        let mixed = |certificate: &PathBuf, key: &PathBuf| {
            let files = TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            };
            load(&files, &provider).unwrap_err()
        };
        assert!(!mixed(&one.certificate, &other.key).is_empty());
        let swapped = mixed(&one.key, &one.certificate);
        assert!(swapped.contains("contains no certificate"), "{swapped}");
        let missing = mixed(&folder.path().join("missing.pem"), &one.key);
        assert!(missing.contains("missing.pem cannot be read"), "{missing}");
    }
}
