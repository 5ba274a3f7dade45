#!/usr/bin/env bash
# Tries a program before it is released: it serves a photo, stops, and still has the photo when it is started again.
# Usage: scripts/try.sh PROGRAM. Needs bash 3.2 or later and curl, and uses a free port and a temporary folder.
set -euo pipefail
program=$1
photo=$(cd "$(dirname "$0")/.." && pwd)/tests/files/baseline.jpg
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$folder"' EXIT

start() {   # sets `server` and `url`
  "$program" --listen 127.0.0.1:0 --data "$folder/data" >"$folder/out" 2>"$folder/log" &
  server=$!
  url=
  for ((i = 0; i < 300; i++)); do
    url=$(sed -n 's|^Open \(http://[0-9.:]*\)/ in a browser.*|\1|p' "$folder/out")
    if [[ -n $url ]] && "$program" health --server "$url" 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  printf 'it does not start:\n' >&2
  cat "$folder/log" >&2
  return 1
}

stop() {
  local ended=$server
  server=
  kill "$ended"
  wait "$ended"
}

start
"$program" --version
location=$(curl -fsS -D - -o /dev/null -F "file=@$photo" "$url/image" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
stop
start
case $location in
  http*) address=$location ;;
  *) address=$url$location ;;
esac
curl -fsS -o "$folder/again.jpg" "$address"
curl -fsS -o "$folder/page.html" "$url/"
grep -q '</html>' "$folder/page.html"
"$program" backup "$folder/photos.jsonl" --server "$url" 2>"$folder/backup"
stop
[[ $(head -c 2 "$folder/again.jpg" | od -An -tx1 | tr -d ' ') == ffd8 ]]
"$program" check --data "$folder/data"
printf 'it serves, stores and keeps a photo: %s\n' "$location"
