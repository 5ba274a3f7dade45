//! Files and options that the Debian package and the unit refer to exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::server::{folder, program, run, text};

/// The folder to which `scripts/package.sh` writes the generated files.
const GENERATED: &str = "target/package/";

/// The folder of the sources.
fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `[package.metadata.deb]` of Cargo.toml.
fn package() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(sources());
    let output = cargo.output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"][0]["metadata"]["deb"].clone()
}

/// Returns whether `pattern` names a file. Its last part may hold one `*`.
fn names_a_file(pattern: &Path) -> bool {
    let name = pattern.file_name().unwrap().to_str().unwrap();
    let Some((start, end)) = name.split_once('*') else {
        return pattern.is_file();
    };
    let Ok(entries) = fs::read_dir(pattern.parent().unwrap()) else {
        return false;
    };
    entries.map(|entry| entry.unwrap().file_name()).any(|name| {
        let name = name.to_str().unwrap();
        name.starts_with(start) && name.ends_with(end)
    })
}

/// The variables that lines such as `Environment=NAME=VALUE` or `#NAME=VALUE` set.
fn variables<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect()
}

#[tokio::test]
async fn the_files_of_the_package_exist() {
    let (_folder, generated) = folder();
    fs::create_dir_all(generated.join("man")).unwrap();
    let manual = run(program(&["manual", text(&generated.join("man"))])).await;
    assert!(manual.status.success(), "{manual:?}");
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(program(&["completions", shell])).await;
        let file = generated.join(format!("realtime-photo.{shell}"));
        fs::write(file, completions.stdout).unwrap();
    }
    let package = package();
    let assets = package["assets"].as_array().unwrap();
    assert!(assets.len() > 5, "{assets:?}");
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        if source == "target/release/realtime-photo" {
            continue;
        }
        let path = match source.strip_prefix(GENERATED) {
            Some(name) => generated.join(name),
            None => sources().join(source),
        };
        assert!(names_a_file(&path), "{source}");
    }
    let scripts = sources().join(package["maintainer-scripts"].as_str().unwrap());
    let postrm = fs::read_to_string(scripts.join("postrm")).unwrap();
    // cargo-deb replaces this by the commands that the unit needs.
    assert!(postrm.contains("\n#DEBHELPER#\n"), "{postrm}");
}

#[tokio::test]
async fn the_unit_sets_options_that_exist() {
    let help = run(program(&["--help"])).await;
    let help = String::from_utf8(help.stdout).unwrap();
    let unit = fs::read_to_string(sources().join("scripts/realtime-photo.service")).unwrap();
    let defaults = sources().join("scripts/debian/realtime-photo.default");
    let defaults = fs::read_to_string(defaults).unwrap();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    names.extend(variables(&unit, "Environment="));
    names.extend(variables(&defaults, "#"));
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        // The value of a secret is hidden.
        let is_option = ["=", "]"]
            .iter()
            .any(|end| help.contains(&format!("[env: {name}{end}")));
        assert!(is_option, "{name}");
    }
    // Nothing but comments: the unit has the defaults.
    let is_comment = |line: &str| line.is_empty() || line.starts_with('#');
    assert!(defaults.lines().all(is_comment), "{defaults}");
    let conffile = package()["conf-files"][0].as_str().unwrap().to_owned();
    assert!(
        unit.contains(&format!("\nEnvironmentFile=-{conffile}\n")),
        "{unit}"
    );
}
