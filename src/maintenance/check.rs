//! `realtime-photo check`: reads everything in a data folder and lists what is damaged.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::engine::datum::{Datum, Object};
use crate::engine::{self, storage::CheckReport};

/// The exit code if something is damaged.
const DAMAGED: u8 = 1;

/// The exit code if the folder cannot be checked. Wrong arguments have the same.
const FAILED: u8 = 2;

/// Checks a folder that no server uses. Prints a summary and what is damaged to `out`, and what else goes wrong to
/// `err`.
///
/// # Errors
///
/// If nothing can be printed.
pub fn check(folder: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<ExitCode> {
    let mut images = Images::default();
    let report = engine::check(folder, &mut |table, document| {
        images.inspect(table, document)
    });
    match report {
        Ok(mut report) => {
            report.damage.extend(images.missing());
            print(folder, &report, out)?;
            Ok(if report.damage.is_empty() {
                ExitCode::SUCCESS
            } else {
                DAMAGED.into()
            })
        }
        Err(error) => {
            writeln!(err, "realtime-photo: {error}")?;
            Ok(FAILED.into())
        }
    }
}

fn print(folder: &Path, report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let CheckReport {
        documents,
        blobs,
        bytes,
        without_checksum,
        damage,
        orphans,
    } = report;
    writeln!(
        out,
        "{}: {documents} documents and {blobs} large files of {bytes} bytes can be read.",
        folder.display()
    )?;
    if *without_checksum > 0 {
        writeln!(
            out,
            "{without_checksum} documents of an earlier release have no checksums yet; the server adds them."
        )?;
    }
    for orphan in orphans {
        writeln!(out, "Not damaged, but unused: {orphan}.")?;
    }
    for damaged in damage {
        writeln!(out, "DAMAGED: {damaged}")?;
    }
    match damage.len() {
        0 => writeln!(out, "Nothing is damaged."),
        1 => writeln!(out, "1 thing is damaged."),
        count => writeln!(out, "{count} things are damaged."),
    }
}

/// Checks of the images themselves, beyond the storage: the hashes of files, and placements without an image. In the
/// tables of all databases in the folder.
#[derive(Default)]
struct Images {
    /// The database and the key of each image.
    stored: BTreeSet<(String, String)>,
    /// The database and the key of each placement.
    placed: BTreeSet<(String, String)>,
}

impl Images {
    /// Returns the damage of a document, if there is any.
    fn inspect(&mut self, table: &str, document: &Datum) -> Option<String> {
        let (database, table_name) = table.rsplit_once('.')?;
        let Datum::Object(fields) = document else {
            return None;
        };
        let key = text(fields, "id")?;
        let place = (database.to_owned(), key.to_owned());
        match table_name {
            "images" => {
                self.stored.insert(place);
                verify_hash(fields).map(|detail| {
                    format!("The stored data of table `{table}`, key {key:?}, {detail}.")
                })
            }
            "placements" => {
                // A purge that was interrupted has removed only the image of one that is deleted.
                if !fields.contains_key("deletedAt") {
                    self.placed.insert(place);
                }
                None
            }
            _ => None,
        }
    }

    /// The placements without an image.
    fn missing(self) -> Vec<String> {
        let missing = self.placed.difference(&self.stored);
        let message = |(database, key): &(String, String)| {
            format!("The table `{database}.images` lacks the key {key:?}, which is on a board.")
        };
        missing.map(message).collect()
    }
}

/// Compares the file of an image with its hash. Images of earlier releases have none.
fn verify_hash(fields: &Object) -> Option<String> {
    let expected = text(fields, "storedSha256")?;
    let Datum::Binary(file) = fields.get("file")? else {
        return None;
    };
    let bytes = file.bytes().ok()?;
    let found = HEXLOWER.encode(&Sha256::digest(&bytes));
    (found != expected).then(|| "is damaged: the SHA-256 of the file does not match".to_owned())
}

fn text<'a>(fields: &'a Object, name: &str) -> Option<&'a str> {
    match fields.get(name)? {
        Datum::String(text) => Some(text),
        _ => None,
    }
}
