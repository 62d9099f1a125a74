//! The file of `--api-key-file`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::Secret;
use super::secret::missing_key;
use crate::exit::Exit;
use crate::report::Failure;

/// The largest part of a key file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Reads a key from the first line of a file, a pipe or standard input (`-`).
pub fn read(file: &Path) -> Result<Secret, Failure> {
    let text = read_start(file).map_err(|error| {
        Failure::new(Exit::Local, "key_file", format!("cannot read the key file {}", file.display()))
            .cause(error)
            .hint("give a readable file with the key on its first line")
    })?;
    let secret = Secret::new(text.lines().next().unwrap_or_default().to_owned(), "--api-key-file")?;
    if secret.is_empty() {
        return Err(missing_key(&format!("the key file {} is empty", file.display())));
    }
    Ok(secret)
}

fn read_start(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    } else {
        File::open(file)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    }
    Ok(text)
}
