//! The trusted certificate authorities.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use crate::exit::Exit;
use crate::report::Failure;

/// The variables that OpenSSL and rustls read for the location of the platform's roots.
const ROOT_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Returns whether the environment names the platform's roots.
pub fn names_roots(is_set: impl Fn(&str) -> bool) -> bool {
    ROOT_VARIABLES.into_iter().any(is_set)
}

/// Sets the roots for https.
///
/// The platform's roots are preferred, so that a company's CA is trusted. A container without roots uses Mozilla's,
/// which are built in. `extra` is a PEM file of certificates that are trusted in addition.
pub fn trust(builder: ClientBuilder, extra: Option<&Path>, named: bool) -> Result<ClientBuilder, Failure> {
    let extra = extra.map(read_pem).transpose()?.unwrap_or_default();
    Ok(if platform_has_roots(named) {
        builder.tls_certs_merge(extra)
    } else {
        builder.tls_certs_only(mozilla().chain(extra))
    })
}

/// Returns whether the platform has roots, without reading them, which takes milliseconds.
fn platform_has_roots(named: bool) -> bool {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return true;
    }
    named || ROOT_FILES.iter().any(|file| Path::new(file).exists())
}

/// The files in which Linux distributions and BSDs keep their roots.
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
