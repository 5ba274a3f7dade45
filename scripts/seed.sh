#!/usr/bin/env bash
# Uploads images to a running realtime-photo server, several at a time. usage() documents the options.
# Requires bash 3.2 or later (macOS ships 3.2) and curl.
set -u
shopt -s nullglob dotglob nocasematch
LC_ALL=C   # treat names as bytes, and sort files the same way on every system

ATTEMPTS=5            # attempts per file when the server is busy or does not answer
LONGEST_WAIT=300      # seconds; a longer Retry-After is clamped to this
CONNECT_TIMEOUT=10    # seconds
STALL_TIMEOUT=60      # seconds without a byte in either direction

usage() {
  cat <<'TEXT'
Usage: seed.sh [-j JOBS] [-u URL] [-b BOARD] [-t TOKEN] DIR|FILE...

Uploads images to a realtime-photo server: every png, jpg, jpeg, gif, webp and avif file in each DIR and its
subfolders, and each FILE regardless of its name. A refused file does not stop the others.

  -j JOBS   number of simultaneous uploads (1 to 64, default 4)
  -u URL    address of the server (default http://127.0.0.1:8000)
  -b BOARD  id of the board: the last part of its address (default main, or $REALTIME_PHOTO_BOARD)
  -t TOKEN  the last part of a link that lets one add images, if the server wants one. Better given as
            $REALTIME_PHOTO_TOKEN, since other users can read a command line
  -h        print this help

Exit status: 0 if every file was sent, 1 if a file was not sent, 2 for an invalid command line, 130 after Ctrl-C.
TEXT
}

wrong_usage() {
  printf 'seed.sh: %s (see seed.sh -h)\n' "$1" >&2
  exit 2
}

# --- collecting files -----------------------------------------------------------------------------------------

files=()      # paths to send, in order
failures=()   # "path: reason" lines for the summary
sent=0

# Sets `printable` to the text with control characters replaced: file names and server responses are untrusted, and
# escape sequences in them must not reach the terminal.
printable() { printable=${1//[[:cntrl:]]/?}; }

failed() {   # path, reason
  printable "$1: $2"
  failures+=("$printable")
}

# True for AppleDouble files (magic number 00 05 16 07), which macOS writes as "._NAME" next to NAME on foreign
# file systems. They carry the extension of an image but are not images.
is_apple_double() {
  local first rest
  [[ ${1##*/} == ._* ]] || return 1
  { IFS= read -r -d '' first; IFS= read -r -d '' -n 3 rest; } <"$1" 2>/dev/null
  [[ -z $first && $rest == $'\x05\x16\x07' ]]
}

collect_folder() {
  local entry
  if ! [[ -r $1 && -x $1 ]]; then failed "$1" "this folder cannot be read"; return; fi
  for entry in "${1%/}"/*; do
    if [[ -d $entry ]]; then
      [[ -L $entry ]] || collect_folder "$entry"   # following links could loop
      continue
    fi
    case $entry in
      *.png | *.jpg | *.jpeg | *.gif | *.webp | *.avif)
        if [[ -f $entry ]] && ! is_apple_double "$entry"; then files+=("$entry"); fi ;;
    esac
  done
}

collect() {
  if [[ -d $1 ]]; then collect_folder "$1"
  elif [[ -f $1 ]]; then files+=("$1")
  elif [[ -e $1 ]]; then failed "$1" "not a regular file"
  else failed "$1" "no such file or folder"; fi
}

# --- a single upload, in its own subshell ---------------------------------------------------------------------

# Sets `id` to a new UUIDv7. Timestamps strictly increase, so the board orders the images as they were sent.
last_ms=0
new_id() {
  local ms random
  if [[ -n ${EPOCHREALTIME-} ]]; then ms=${EPOCHREALTIME//[!0-9]/}; ms=${ms%???}   # bash 5
  else ms=$(date +%s)000; fi
  if ((ms <= last_ms)); then ms=$((last_ms + 1)); fi
  last_ms=$ms
  printf -v id '%012x' "$ms"
  printf -v random '7%03x-%04x-%04x%04x%04x' $((RANDOM & 0xfff)) $((0x8000 | RANDOM & 0x3fff)) \
    $((RANDOM << 1 ^ RANDOM)) $((RANDOM << 1 ^ RANDOM)) $((RANDOM << 1 ^ RANDOM))
  id=${id:0:8}-${id:8:4}-$random
}

# -q ignores ~/.curlrc. Loopback addresses are never reached through a proxy.
curl_options=(-q -sS -g --connect-timeout "$CONNECT_TIMEOUT"
  --noproxy "localhost,127.0.0.1,::1,${no_proxy:-${NO_PROXY-}}")

# Sends one file once. The bytes are passed on standard input and the name as a literal field, because curl
# interprets quotes, commas and semicolons in `-F file=@PATH`. Sets `code` (000 if there was no response), `body` and
# `complaint` (the error message of curl).
post() {   # path, id, slot
  local answer
  curl "${curl_options[@]}" --speed-limit 1 --speed-time "$STALL_TIMEOUT" -H 'Expect:' \
    --form-string "id=$2" --form-string "fileName=${1##*/}" -F 'file=@-;filename=file' \
    -H "@$scratch/authorization" -D "$scratch/$3.headers" -w '\n%{http_code}' "$url/image?board=$board" \
    2>"$scratch/$3.error" >"$scratch/$3.answer" <"$1" &
  wait "$!"
  answer=$(<"$scratch/$3.answer")
  complaint=$(<"$scratch/$3.error")
  code=${answer##*$'\n'}
  body=${answer%$'\n'*}
  [[ $code =~ ^[0-9]+$ ]] || code=000
}

# Sets `reason` to the detail of the server's problem document, with JSON escapes decoded.
read_reason() {
  local pattern='"detail"[[:space:]]*:[[:space:]]*"(([^"\\]|\\.)*)"'
  reason="the server responded with status $code"
  [[ $body =~ $pattern ]] || return
  reason=${BASH_REMATCH[1]}
  reason=${reason//\\\"/\"}
  reason=${reason//\\n/ }
  reason=${reason//\\\\/\\}
}

# Sets `delay` to the seconds to wait after attempt $1: the value of Retry-After, or else 1, 2, 4, …
read_delay() {   # attempt, slot
  local line pattern='^retry-after:[[:space:]]*([0-9]{1,6})[[:space:]]*$'
  delay=$((1 << ($1 - 1)))
  [[ $code != 000 && -r $scratch/$2.headers ]] || return
  while IFS= read -r line; do
    if [[ $line =~ $pattern ]]; then delay=$((10#${BASH_REMATCH[1]})); fi
  done <"$scratch/$2.headers"
  if ((delay > LONGEST_WAIT)); then delay=$LONGEST_WAIT; fi
}

# Sends one file. Retries with the same id if the server was busy or its response was lost, so the image is stored
# only once. Writes "sent", "refused REASON" or "lost REASON" (the server stopped responding) to the slot's result file.
upload() {   # path, id, slot
  local attempt outcome
  trap '' INT   # Ctrl-C signals the whole process group; only the main script handles it and then stops this subshell
  trap 'kill "$!" 2>/dev/null; wait "$!"; exit 143' TERM
  for ((attempt = 1; ; attempt++)); do
    post "$@"
    case $code in
      200 | 201) outcome=sent; break ;;
      000) outcome="lost ${complaint:-curl reported no error}" ;;
      429 | 502 | 503 | 504) read_reason; outcome="refused $reason" ;;
      *) read_reason; outcome="refused $reason"; break ;;
    esac
    ((attempt < ATTEMPTS)) || break
    read_delay "$attempt" "$3"
    sleep "$delay" &
    wait "$!"
  done
  printf '%s\n' "$outcome" >"$scratch/$3.result"
}

# --- running all uploads --------------------------------------------------------------------------------------

stop=         # reason to start no further uploads: empty, "interrupted" or "lost"
exit_status=0
slot_pid=()   # upload process of each slot; empty if the slot is free
slot_file=()  # file of each slot
next=0        # index of the first file not started yet

show_progress() {   # latest event
  local line
  printable "[$((sent + ${#failures[@]}))/$total] $1"
  if [[ -n $terminal ]]; then
    line=$printable
    if ((${#line} >= ${COLUMNS:-80})); then line=${line:0:${COLUMNS:-80}-1}; fi
    printf '\r%s\033[K' "$line"
  else
    printf '%s\n' "$printable"
  fi
}

start() {   # slot
  slot_file[$1]=${files[next]}
  next=$((next + 1))
  if ! [[ -r ${slot_file[$1]} ]]; then
    failed "${slot_file[$1]}" "cannot be read"
    show_progress "refused ${slot_file[$1]}: cannot be read"
    return
  fi
  new_id
  : >"$scratch/$1.result"
  : >"$scratch/$1.headers"
  upload "${slot_file[$1]}" "$id" "$1" &
  slot_pid[$1]=$!
}

# Collects the result of a finished upload and frees its slot.
settle() {   # slot
  local file=${slot_file[$1]} outcome
  wait "${slot_pid[$1]}" 2>/dev/null
  slot_pid[$1]=
  outcome=$(<"$scratch/$1.result")
  case $outcome in
    sent) sent=$((sent + 1)); show_progress "sent $file" ;;
    'refused '*) failed "$file" "${outcome#* }"; show_progress "refused $file: ${outcome#* }" ;;
    'lost '*)
      : "${stop:=lost}"
      failed "$file" "${outcome#* }"; show_progress "failed $file: ${outcome#* }" ;;
    *)
      if [[ $stop == interrupted ]]; then unfinished=$((unfinished + 1))
      else failed "$file" "the upload ended without a result"; fi ;;
  esac
}

is_finished() { [[ -s $scratch/$1.result ]] || ! kill -0 "${slot_pid[$1]}" 2>/dev/null; }

# Waits until an upload may have ended. bash before 4.3 has no `wait -n`, so the oldest upload is awaited there.
wait_for_any() {
  local slot oldest=
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 403)); then wait -n 2>/dev/null; return; fi
  for ((slot = 0; slot < jobs; slot++)); do
    [[ -n ${slot_pid[slot]-} ]] || continue
    if [[ -z $oldest || ${slot_pid[slot]} -lt $oldest ]]; then oldest=${slot_pid[slot]}; fi
  done
  wait "$oldest" 2>/dev/null
}

send_all() {
  local slot busy
  while :; do
    busy=
    for ((slot = 0; slot < jobs; slot++)); do
      if [[ -n ${slot_pid[slot]-} ]]; then
        if [[ $stop == interrupted ]]; then kill "${slot_pid[slot]}" 2>/dev/null; settle "$slot"
        elif is_finished "$slot"; then settle "$slot"; fi
      fi
      while [[ -z $stop && -z ${slot_pid[slot]-} ]] && ((next < ${#files[@]})); do start "$slot"; done
      [[ -z ${slot_pid[slot]-} ]] || busy=yes
    done
    [[ -n $busy ]] || break
    [[ $stop == interrupted ]] || wait_for_any
  done
}

summary() {
  local duration="$SECONDS s" left failure
  if ((SECONDS >= 60)); then duration="$((SECONDS / 60)) min $((SECONDS % 60)) s"; fi
  if [[ -n $terminal ]]; then printf '\r\033[K'; fi
  if ((${#failures[@]})); then
    printf 'Refused:\n'
    for failure in "${failures[@]}"; do printf '  %s\n' "$failure"; done
  fi
  left=$((${#files[@]} - next + unfinished))
  printf '%d sent, %d refused' "$sent" "${#failures[@]}"
  if ((left)) && [[ $stop == lost ]]; then printf ', %d not tried because the server stopped responding' "$left"; fi
  if ((left)) && [[ $stop == interrupted ]]; then printf ', %d not sent because of an interruption' "$left"; fi
  printf ', in %s\n' "$duration"
}

# --- command line ---------------------------------------------------------------------------------------------

jobs=4
url=http://127.0.0.1:8000
board=${REALTIME_PHOTO_BOARD:-main}
token=${REALTIME_PHOTO_TOKEN-}
if [[ ${1-} == --help ]]; then usage; exit 0; fi
while getopts ':hj:u:b:t:' option; do
  case $option in
    h) usage; exit 0 ;;
    j) jobs=$OPTARG ;;
    u) url=$OPTARG ;;
    b) board=$OPTARG ;;
    t) token=$OPTARG ;;
    :) wrong_usage "-$OPTARG needs a value" ;;
    *) wrong_usage "unknown option -$OPTARG" ;;
  esac
done
shift $((OPTIND - 1))
if ! [[ $jobs =~ ^[1-9][0-9]?$ ]] || ((jobs > 64)); then wrong_usage "-j must be a number from 1 to 64"; fi
[[ $url == *://* ]] || url=http://$url
[[ $url == http://?* || $url == https://?* ]] || wrong_usage "-u must be an http:// or https:// address"
while [[ $url == */ ]]; do url=${url%/}; done
[[ $board =~ ^(main|[A-Za-z0-9_-]{22})$ ]] || wrong_usage "-b must be main or the 22 characters of a board's id"
token=${token##*/}   # a whole link is accepted, too
[[ $token =~ ^[A-Za-z0-9._~-]*$ ]] || wrong_usage "-t must be a link or its last part"
(($#)) || wrong_usage "name at least one folder or file"

if ! command -v curl >/dev/null; then
  printf 'seed.sh: curl is required but not installed\n' >&2
  exit 1
fi

terminal=
if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then terminal=yes; fi
unfinished=0

for argument in "$@"; do collect "$argument"; done
total=$((${#files[@]} + ${#failures[@]}))

if ((${#files[@]})); then
  if ! complaint=$(curl "${curl_options[@]}" --max-time 20 -o /dev/null "$url/healthz" 2>&1); then
    printable "$complaint"
    printf 'seed.sh: cannot reach a server at %s (%s)\n' "$url" "$printable" >&2
    exit 1
  fi
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/seed.XXXXXX") || exit 1
  trap 'rm -rf "$scratch"' EXIT
  # In a file, because other users can read the command line of curl. An empty file adds no header.
  : >"$scratch/authorization"
  if [[ -n $token ]]; then printf 'Authorization: Bearer %s\n' "$token" >"$scratch/authorization"; fi
  trap 'stop=interrupted exit_status=130' INT
  trap 'stop=interrupted exit_status=143' TERM
  trap 'stop=interrupted exit_status=129' HUP
  # Gives $! a value, because the TERM trap of an upload reads it even if no curl has started yet.
  : &
  wait "$!"
  send_all
elif ((total == 0)); then
  printf 'Found no images.\n'
fi

summary
if ((exit_status == 0)) && { ((${#failures[@]})) || [[ -n $stop ]]; }; then exit_status=1; fi
exit "$exit_status"
