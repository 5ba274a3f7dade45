#!/usr/bin/env bash
# Tests a server whose connections to the database fail in every way. usage() documents the options.
# Requires a Rust toolchain: it runs a test of this repository for longer.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: faults.sh [--minutes N] [--clients N] [--seed N] [--rethinkdb URL]

Puts a proxy between a server and its database that delays, stalls, cuts and resets connections, also in the middle of a
message, while clients upload, move, arrange, describe, delete and restore photos on one board. Then the faults end, and
the view of each client must become what the database holds, with every acknowledged upload byte for byte and no
acknowledged change lost.

  --minutes N      how long the faults last (default 10)
  --clients N      number of clients (default 8)
  --seed N         what the faults and the clients are drawn from; printed, and random by default. The same seed makes
                   the same draws, at times that differ
  --rethinkdb URL  a RethinkDB instead of the embedded engine; the test uses a database of its own

Exit status: 0 if all is as it must be, 2 for an invalid command line.
TEXT
}

wrong_usage() {
  printf 'faults.sh: %s (see faults.sh --help)\n' "$1" >&2
  exit 2
}

number() {   # option, value
  [[ $2 =~ ^[0-9]{1,18}$ ]] || wrong_usage "$1 must be a number, not '$2'"
  printf '%s' "$((10#$2))"
}

minutes=10
unset TEST_RETHINKDB_URL FAULTS_CLIENTS FAULTS_SEED
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --minutes | --clients | --seed | --rethinkdb) (($# > 1)) || wrong_usage "$1 needs a value" ;;
    *) wrong_usage "unknown option '$1'" ;;
  esac
  case $1 in
    --minutes) minutes=$(number "$1" "$2") ;;
    --clients) FAULTS_CLIENTS=$(number "$1" "$2"); export FAULTS_CLIENTS ;;
    --seed) FAULTS_SEED=$(number "$1" "$2"); export FAULTS_SEED ;;
    --rethinkdb) export TEST_RETHINKDB_URL=$2 ;;
  esac
  shift 2
done

export FAULTS_SECONDS=$((minutes * 60))
exec cargo test --locked --test api -- --exact --nocapture \
  faults::views_and_database_agree_after_the_connection_has_failed_in_every_way
