//! Which certificates are trusted.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use crate::exit::Exit;
use crate::report::Failure;

/// Adds the roots for a server that is reached over https.
///
/// The platform's own come first, so that a company's CA counts; a container without any gets
/// Mozilla's, built in. `extra` is a PEM file whose certificates are trusted besides.
pub fn trust(builder: ClientBuilder, extra: Option<&Path>) -> Result<ClientBuilder, Failure> {
    let extra = extra.map(read_pem).transpose()?.unwrap_or_default();
    Ok(if platform_has_roots() {
        builder.tls_certs_merge(extra)
    } else {
        builder.tls_certs_only(mozilla().chain(extra))
    })
}

/// Whether the platform has roots. Asking costs a look at the file system, not the reading of the roots.
fn platform_has_roots() -> bool {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return true;
    }
    let named = std::env::var_os("SSL_CERT_FILE").is_some() || std::env::var_os("SSL_CERT_DIR").is_some();
    named || ROOT_FILES.iter().any(|file| Path::new(file).exists())
}

/// Where Linux distributions and BSDs keep their roots.
const ROOT_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn mozilla() -> impl Iterator<Item = Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| Certificate::from_der(der).ok())
}

/// Reads a PEM file of certificates.
pub fn read_pem(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let failed = |why: String| {
        Failure::new(Exit::Local, "bad_ca_cert", format!("cannot read certificates from {}", path.display()))
            .cause(why)
            .hint("name a PEM file, which holds lines such as -----BEGIN CERTIFICATE-----")
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| failed("not a PEM file".to_owned()))?;
    if certificates.is_empty() { Err(failed("no certificate in it".to_owned())) } else { Ok(certificates) }
}
