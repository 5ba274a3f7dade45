#!/usr/bin/env bash
# Uploads images to a running realtime-photo server, several at a time. See usage() for how to call it.
# Needs bash (3.2, as on macOS, is enough), curl and nothing else that is not on every Unix.
set -u
shopt -s nullglob dotglob nocasematch
LC_ALL=C   # names are bytes here; the order of the files is the same everywhere

ATTEMPTS=5            # how often one file is tried when the server is busy or does not answer
LONGEST_WAIT=300      # seconds; a longer Retry-After is cut to this
CONNECT_TIMEOUT=10    # seconds
STALL_TIMEOUT=60      # seconds without one byte in either direction

usage() {
  cat <<'TEXT'
Usage: seed.sh [-j JOBS] [-u URL] DIR|FILE...

Uploads to a realtime-photo server every image below each DIR (by name: png, jpg, jpeg, gif, webp, avif) and
each FILE, whatever its name. A refused file does not stop the others.

  -j JOBS   how many uploads run at once (1 to 64, default 4)
  -u URL    the server's address (default http://127.0.0.1:8000)
  -h        print this text

Exit status: 0 if every file was sent, 1 if any was not, 2 if the command line is wrong, 130 after Ctrl-C.
TEXT
}

wrong_usage() {
  printf 'seed.sh: %s (seed.sh -h explains the options)\n' "$1" >&2
  exit 2
}

# --- what to send ---------------------------------------------------------------------------------------------

files=()      # the paths to send, in order
failures=()   # lines "path: reason" for the summary
sent=0

# Control characters in a name or an answer must not reach the terminal.
printable() { printable=${1//[[:cntrl:]]/?}; }

failed() {   # path, reason
  printable "$1: $2"
  failures+=("$printable")
}

# macOS leaves "._NAME" beside NAME on foreign disks: an AppleDouble file (00 05 16 07), not an image.
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
      [[ -L $entry ]] || collect_folder "$entry"   # a linked folder may lead back to where we are
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

# --- one upload, in a subshell of its own ---------------------------------------------------------------------

# Sets `id` to a new UUIDv7. Each is later than the one before, so the board orders the images as they are sent.
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

# -q: no ~/.curlrc. A proxy never stands between this and the machine it runs on.
curl_options=(-q -sS -g --connect-timeout "$CONNECT_TIMEOUT"
  --noproxy "localhost,127.0.0.1,::1,${no_proxy:-${NO_PROXY-}}")

# Sends one file once. The bytes come through standard input and the name as a literal field, because curl gives
# a meaning to quotes, commas and semicolons in `-F file=@PATH`. Sets `code` (000: no answer), `body`, `complaint`.
post() {   # path, id, slot
  local answer
  curl "${curl_options[@]}" --speed-limit 1 --speed-time "$STALL_TIMEOUT" -H 'Expect:' \
    --form-string "id=$2" --form-string "fileName=${1##*/}" -F 'file=@-;filename=file' \
    -D "$scratch/$3.headers" -w '\n%{http_code}' "$url/image" \
    2>"$scratch/$3.error" >"$scratch/$3.answer" <"$1" &
  wait "$!"
  answer=$(<"$scratch/$3.answer")
  complaint=$(<"$scratch/$3.error")
  code=${answer##*$'\n'}
  body=${answer%$'\n'*}
  [[ $code =~ ^[0-9]+$ ]] || code=000
}

# Sets `reason` to what the server says in its problem document, without JSON's escapes.
read_reason() {
  local pattern='"detail"[[:space:]]*:[[:space:]]*"(([^"\\]|\\.)*)"'
  reason="the server answered $code"
  [[ $body =~ $pattern ]] || return
  reason=${BASH_REMATCH[1]}
  reason=${reason//\\\"/\"}
  reason=${reason//\\n/ }
  reason=${reason//\\\\/\\}
}

# Sets `delay` to the seconds to wait before attempt $1 + 1: what Retry-After says, otherwise 1, 2, 4 …
read_delay() {   # attempt, slot
  local line pattern='^retry-after:[[:space:]]*([0-9]{1,6})[[:space:]]*$'
  delay=$((1 << ($1 - 1)))
  [[ $code != 000 && -r $scratch/$2.headers ]] || return
  while IFS= read -r line; do
    if [[ $line =~ $pattern ]]; then delay=$((10#${BASH_REMATCH[1]})); fi
  done <"$scratch/$2.headers"
  if ((delay > LONGEST_WAIT)); then delay=$LONGEST_WAIT; fi
}

# Sends one file, again with the same id where the server was busy or the answer was lost, so that it is stored
# once. Leaves "sent", "refused REASON" or "lost REASON" (no server any more) in the slot's result.
upload() {   # path, id, slot
  local attempt outcome
  trap '' INT   # Ctrl-C reaches everybody: the script alone decides, and ends this one and its curl
  trap 'kill "$!" 2>/dev/null; wait "$!"; exit 143' TERM
  for ((attempt = 1; ; attempt++)); do
    post "$@"
    case $code in
      200 | 201) outcome=sent; break ;;
      000) outcome="lost ${complaint:-curl gave no answer}" ;;
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

# --- all of them ----------------------------------------------------------------------------------------------

stop=         # why no further upload is started: empty, "interrupted" or "lost"
exit_status=0
slot_pid=()   # by slot: the process that uploads, empty when the slot is free
slot_file=()  # by slot: its file
next=0        # the first file that was not started

show_progress() {   # what happened just now
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

# Takes in what a finished upload left behind.
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
      else failed "$file" "its upload ended without a result"; fi ;;
  esac
}

is_finished() { [[ -s $scratch/$1.result ]] || ! kill -0 "${slot_pid[$1]}" 2>/dev/null; }

# Waits until some upload may have ended. Before bash 4.3 that is the one that was started first.
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
  if ((left)) && [[ $stop == lost ]]; then printf ', %d not tried because the server stopped answering' "$left"; fi
  if ((left)) && [[ $stop == interrupted ]]; then printf ', %d not sent because of the interruption' "$left"; fi
  printf ', in %s\n' "$duration"
}

# --- the command line -----------------------------------------------------------------------------------------

jobs=4
url=http://127.0.0.1:8000
if [[ ${1-} == --help ]]; then usage; exit 0; fi
while getopts ':hj:u:' option; do
  case $option in
    h) usage; exit 0 ;;
    j) jobs=$OPTARG ;;
    u) url=$OPTARG ;;
    :) wrong_usage "-$OPTARG needs a value" ;;
    *) wrong_usage "there is no option -$OPTARG" ;;
  esac
done
shift $((OPTIND - 1))
if ! [[ $jobs =~ ^[1-9][0-9]?$ ]] || ((jobs > 64)); then wrong_usage "-j takes a number from 1 to 64"; fi
[[ $url == *://* ]] || url=http://$url
[[ $url == http://?* || $url == https://?* ]] || wrong_usage "-u takes an http:// or https:// address"
while [[ $url == */ ]]; do url=${url%/}; done
(($#)) || wrong_usage "name at least one folder or file"

if ! command -v curl >/dev/null; then
  printf 'seed.sh: this needs curl, which is not installed\n' >&2
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
    printf 'seed.sh: no server answers at %s (%s)\n' "$url" "$printable" >&2
    exit 1
  fi
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/seed.XXXXXX") || exit 1
  trap 'rm -rf "$scratch"' EXIT
  trap 'stop=interrupted exit_status=130' INT
  trap 'stop=interrupted exit_status=143' TERM
  trap 'stop=interrupted exit_status=129' HUP
  : &
  wait "$!"   # so that $! has a value in every upload, also when it is interrupted before its first curl
  send_all
elif ((total == 0)); then
  printf 'There are no images here.\n'
fi

summary
if ((exit_status == 0)) && { ((${#failures[@]})) || [[ -n $stop ]]; }; then exit_status=1; fi
exit "$exit_status"
