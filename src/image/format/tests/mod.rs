mod metadata;
mod verdicts;

use proptest::prelude::*;

use super::*;
use crate::image::test_files::{damaged, folder, read};

/// All files of the tests that are not damaged.
fn all_files() -> Vec<String> {
    let mut files = Vec::new();
    for place in ["", "colours/", "large/", "metadata/", "upright/"] {
        for entry in folder().join(place).read_dir().unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() && !entry.path().ends_with("README.md") {
                files.push(format!("{place}{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn inspected(bytes: &Bytes) -> Inspection {
    inspect(bytes, Limits::default(), Metadata::Remove).unwrap()
}

/// Type, width, height, and whether it is damaged.
fn facts(bytes: &Bytes) -> (ImageType, u32, u32, bool) {
    let inspection = inspected(bytes);
    (
        inspection.kind,
        inspection.width,
        inspection.height,
        inspection.is_damaged,
    )
}

fn cleaned(bytes: &Bytes) -> Bytes {
    inspected(bytes).file
}
