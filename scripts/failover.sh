#!/usr/bin/env bash
# Kills a node of a RethinkDB cluster under load, and measures what viewers and uploads notice. usage() documents the options.
# Requires RethinkDB 2.4, Python, and the driver of tests/drivers/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: failover.sh [--servers N] [--viewers N] [--uploaders N] [--seconds N]

Starts three RethinkDB nodes and servers with --replicas 3 on loopback ports and temporary folders. While photos are uploaded
and watched, the node that the servers use and that is the primary of all tables is killed (SIGKILL). Prints for how long no
upload was acknowledged and no change reached a viewer, and how many of the acknowledged photos are lost. A server must also
start without the node.

  --servers N     number of servers (default 2)
  --viewers N     viewers of each server (default 10)
  --uploaders N   uploads of each server at a time (default 2)
  --seconds N     time under load after the kill (default 30)

RETHINKDB is the program rethinkdb (default: the one in PATH), REALTIME_PHOTO_BIN the server (default: the debug build), PYTHON
the interpreter with the driver (default: python3).

Exit status: 0 if nothing is lost and all is back, 1 if not, 2 for an invalid command line or a missing program.
TEXT
}

refuse() {
  printf 'failover.sh: %s (see failover.sh --help)\n' "$1" >&2
  exit 2
}

arguments=()
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --servers | --viewers | --uploaders | --seconds) (($# > 1)) || refuse "$1 needs a value" ;;
    *) refuse "unknown option '$1'" ;;
  esac
  [[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || refuse "$1 must be a number from 1 to 9999, not '$2'"
  arguments+=("$1" "$2")
  shift 2
done

rethinkdb=$(command -v "${RETHINKDB:-rethinkdb}") || refuse "there is no program ${RETHINKDB:-rethinkdb}"
server=${REALTIME_PHOTO_BIN:-target/debug/realtime-photo}
[[ -x $server ]] || refuse "there is no program $server: run cargo build"
python=${PYTHON:-python3}
"$python" -c 'import rethinkdb' 2>/dev/null || refuse "$python lacks the driver of tests/drivers/requirements.txt"
export RETHINKDB=$rethinkdb REALTIME_PHOTO_BIN=$server
exec "$python" tests/drivers/failover.py ${arguments[@]+"${arguments[@]}"}
