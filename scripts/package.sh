#!/usr/bin/env bash
# Builds a Debian package with the unit, the manual pages and the completions: target/debian/*.deb
# Needs cargo-deb: cargo install cargo-deb --locked
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
files=target/package
rm -rf "$files"
mkdir -p "$files/man"
target/release/realtime-photo manual "$files/man"
for shell in bash zsh fish; do target/release/realtime-photo completions "$shell" > "$files/realtime-photo.$shell"; done
cargo deb --no-build --locked
