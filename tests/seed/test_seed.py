"""scripts/seed.sh against the real server, and against a scripted one that misbehaves.

Run: python3 -m unittest discover -s tests/seed
SEED_BASH is another bash to run the script with (3.2 is the oldest supported).
"""

import collections
import hashlib
import http.server
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.images import gif, png
from support.server import ROOT, Server, free_port

SEED = ROOT / "scripts/seed.sh"
BASH = os.environ.get("SEED_BASH", "bash")
TIMEOUT = 120

HOSTILE_NAMES = [
    "plain.png",
    "two words.png",
    " leading and trailing .png",
    'double "quotes".png',
    "single 'quotes'.png",
    "semi;colon;type=text.png",
    "comma,comma.png",
    "back\\slash.png",
    "new\nline.png",
    "carriage\rreturn.png",
    "tab\tstop.png",
    "-d leading dash.png",
    "@at.png",
    "<less.png",
    "=equals&amp;%22%0A.png",
    "$(touch oops) `touch oops` $HOME.png",
    "star * question ? [brackets].png",
    "ünïcödé 写真 📷.png",
    ".hidden.png",
    "UPPER.PNG",
]


def seed(*arguments, cwd=None, env=None):
    """Runs seed.sh to its end."""
    return subprocess.run(
        [BASH, str(SEED), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=TIMEOUT,
        cwd=cwd,
        env=env,
    )


def last_line(result):
    return result.stdout.rstrip("\n").split("\n")[-1]


class Folder(unittest.TestCase):
    """A test with its own folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.images = self.folder / "images"
        self.images.mkdir()

    def write(self, name, data):
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


class AgainstTheRealServer(Folder):
    def setUp(self):
        super().setUp()
        self.server = Server(data=self.folder / "data")
        self.addCleanup(self.server.stop)

    def stored(self):
        """The file names and SHA-256 of all images on the board."""
        return sorted((record["fileName"], record["sha256"]) for record in self.server.images())

    def test_every_hostile_name_arrives_with_its_bytes(self):
        files = {name: png(seed=number) for number, name in enumerate(HOSTILE_NAMES)}
        for name, data in files.items():
            self.write(name, data)
        result = seed("-u", self.server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(last_line(result), rf"^{len(files)} sent, 0 refused, in \d+ s$")
        digests = collections.Counter(sha256 for _, sha256 in self.stored())
        self.assertEqual(
            digests, collections.Counter(hashlib.sha256(data).hexdigest() for data in files.values())
        )
        by_digest = {hashlib.sha256(data).hexdigest(): name for name, data in files.items()}
        for name, digest in self.stored():
            # The server cuts off everything up to a backslash, because some browsers send a path, and may replace
            # control characters. It changes nothing else.
            expected = by_digest[digest].split("\\")[-1]
            if re.search(r"[\x00-\x1f]", expected):
                pattern = "".join(".?" if ord(c) < 32 else re.escape(c) for c in expected.strip())
                self.assertRegex(name.strip(), re.compile(f"^{pattern}$", re.S))
            else:
                self.assertEqual(name.strip(), expected.strip())
        for record in self.server.images():
            self.assertEqual(
                hashlib.sha256(self.server.get(record["url"])).hexdigest(), record["sha256"]
            )
        self.assertFalse(pathlib.Path("oops").exists())

    def test_folders_are_searched_recursively_and_only_for_images(self):
        self.write("a/b/c/deep.png", png(seed=1))
        self.write("a b/white space.GIF", gif())
        self.write("a/notes.txt", b"not an image, by its name")
        self.write("a/._deep.png", b"\0\x05\x16\x07 a macOS resource fork")
        # Following this link would never end.
        (self.images / "a/loop").symlink_to(self.images)
        result = seed("-u", self.server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([name for name, _ in self.stored()], ["deep.png", "white space.GIF"])

    def test_a_file_given_on_the_command_line_is_sent_whatever_its_name(self):
        path = self.write("-image without suffix", png(seed=1))
        result = seed("-u", self.server.url, "--", path.name, cwd=self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([name for name, _ in self.stored()], [path.name])

    def test_refused_files_are_listed_with_their_reasons_and_do_not_stop_the_run(self):
        self.write("a.png", png(seed=1))
        self.write("b text.png", b"this is not an image")
        self.write("c truncated.png", png(64, 64, seed=2)[:20])
        self.write("d empty.png", b"")
        self.write("e.png", png(seed=3))
        result = seed("-j", "2", "-u", self.server.url, self.images, self.folder / "missing.png")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertEqual([name for name, _ in self.stored()], ["a.png", "e.png"])
        self.assertRegex(last_line(result), r"^2 sent, 4 refused, in \d+ s$")
        summary = result.stdout[result.stdout.index("Refused:") :]
        for name in ("b text.png", "c truncated.png", "d empty.png"):
            reason = re.search(re.escape(name) + r": (.+)", summary).group(1)
            self.assertNotIn("the server responded with status", reason, "the server's message is not shown")
        self.assertIn("missing.png: no such file or folder", summary)

    def test_images_are_sent_to_a_board_with_a_token(self):
        admin = "admin-token-of-the-tests"
        with Server("--admin-token", admin, data=self.folder / "guarded") as server:
            board = server.json("/boards", {"title": "Party"}, token=admin)
            token = board["links"][1]["url"]
            path = self.write("cat.png", png(1))
            refused = seed("-u", server.url, "-b", board["id"], path)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("You need a link to this board.", refused.stdout)
            sent = seed("-u", server.url, "-b", board["id"], "-t", token, path)
            self.assertEqual(last_line(sent)[:17], "1 sent, 0 refused")
            env = {**os.environ, "REALTIME_PHOTO_BOARD": board["id"], "REALTIME_PHOTO_TOKEN": token}
            self.assertEqual(seed("-u", server.url, path, env=env).returncode, 0)
            images = server.json(f"/images?board={board['id']}", token=admin)["images"]
            self.assertEqual(len(images), 2)
            self.assertEqual(server.json("/images", token=admin)["images"], [])

    def test_a_file_over_the_limit_is_refused_with_the_message_of_the_server(self):
        self.write("big.png", png(8, 8) + bytes(17 * 1024 * 1024))
        result = seed("-u", self.server.url, self.images)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(last_line(result), r"^0 sent, 1 refused, in \d+ s$")
        reason = re.search(r"big\.png: (.+)", result.stdout).group(1)
        self.assertNotRegex(reason, "curl|the server responded with status")

    def test_concurrent_uploads_are_all_stored_once_and_in_order(self):
        for number in range(60):
            self.write(f"{number:03}.png", png(seed=number))
        result = seed("-j", "8", "-u", self.server.url + "/", self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        records = self.server.images()
        self.assertEqual(len(records), 60)
        # Ids are UUIDs of version 7, so they sort by time.
        by_age = sorted(records, key=lambda record: record["id"])
        self.assertEqual([record["fileName"] for record in by_age], [f"{n:03}.png" for n in range(60)])


class ScriptedServer(http.server.ThreadingHTTPServer):
    """Answers uploads with `answers(name, attempt)`: (status, headers, document), or None to close the connection."""

    daemon_threads = True

    def __init__(self, answers):
        self.answers = answers
        self.uploads = []  # (fileName, id) in the order of arrival
        self.files = {}  # bytes by fileName
        self.arrived = threading.Event()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def record(self, name, identifier):
        with self._lock:
            self.uploads.append((name, identifier))
            attempt = sum(1 for other, _ in self.uploads if other == name)
        self.arrived.set()
        return attempt

    def handle_error(self, request, client_address):
        """Prints nothing: interrupted clients are expected."""

    def close(self):
        self.shutdown()
        self.server_close()


class ScriptedHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Prints nothing."""

    def do_GET(self):
        self.answer(200, {}, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        boundary = b"--" + self.headers["Content-Type"].split("boundary=")[1].encode()
        fields = {}
        for part in body.split(boundary)[1:-1]:
            headers, _, value = part.partition(b"\r\n\r\n")
            fields[re.search(rb' name="(\w+)"', headers).group(1)] = value.removesuffix(b"\r\n")
        name, identifier = os.fsdecode(fields[b"fileName"]), fields[b"id"].decode()
        self.server.files[name] = fields[b"file"]
        answer = self.server.answers(name, self.server.record(name, identifier))
        if answer is None:
            self.close_connection = True
        else:
            self.answer(*answer)

    def answer(self, status, headers, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        for header, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)


CREATED = (201, {}, {})


class AgainstAScriptedServer(Folder):
    def serve(self, answers):
        server = ScriptedServer(answers)
        self.addCleanup(server.close)
        return server

    def test_names_and_bytes_arrive_unchanged(self):
        names = [*HOSTILE_NAMES, os.fsdecode(b"not utf-8 \xff\xfe.png")]
        files = {name: png(seed=number) for number, name in enumerate(names)}
        for name, data in files.items():
            self.write(name, data)
        server = self.serve(lambda name, attempt: CREATED)
        result = seed("-u", server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(sorted(server.files), sorted(files))
        self.assertEqual(server.files, files)
        self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f]", result.stdout), "the output contains control characters")

    def test_a_busy_server_is_retried_with_the_same_id_after_the_time_it_names(self):
        self.write("a.png", png())
        server = self.serve(
            lambda name, attempt: CREATED
            if attempt == 3
            else (503, {"Retry-After": "2"}, {"detail": "the database is away"})
        )
        start = time.monotonic()
        result = seed("-u", server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertGreaterEqual(time.monotonic() - start, 4)
        self.assertEqual(len(server.uploads), 3)
        self.assertEqual(len({identifier for _, identifier in server.uploads}), 1)

    def test_an_upload_without_a_response_is_retried_with_the_same_id(self):
        for name in ("a.png", "b.png"):
            self.write(name, png())
        server = self.serve(
            lambda name, attempt: None if (name, attempt) == ("a.png", 1) else CREATED
        )
        result = seed("-j1", "-u", server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        (first, one), (second, again), (third, other) = server.uploads
        self.assertEqual((first, second, third), ("a.png", "a.png", "b.png"))
        self.assertEqual(one, again)
        self.assertLess(one, other)
        for identifier in (one, other):
            parsed = uuid.UUID(identifier)
            self.assertEqual((parsed.version, parsed.variant), (7, uuid.RFC_4122))
            self.assertAlmostEqual(int(identifier[:8] + identifier[9:13], 16) / 1000, time.time(), delta=60)

    def test_an_upload_to_a_busy_server_is_given_up_with_its_reason(self):
        self.write("a.png", png())
        server = self.serve(
            lambda name, attempt: (
                503,
                {"Retry-After": "0"},
                {"title": "busy", "detail": 'too "many" uploads\nwait \u001b[31m'},
            )
        )
        result = seed("-u", server.url, self.images)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(server.uploads), 5)
        self.assertIn('a.png: too "many" uploads wait', result.stdout)
        self.assertNotIn("\x1b", result.stdout)

    def test_a_response_without_a_reason_is_shown_by_its_status(self):
        self.write("a.png", png())
        server = self.serve(lambda name, attempt: (418, {}, {"teapot": True}))
        result = seed("-u", server.url, self.images)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(server.uploads), 1)
        self.assertIn("a.png: the server responded with status 418", result.stdout)

    def test_a_server_that_stops_responding_ends_the_run(self):
        for number in range(30):
            self.write(f"{number:02}.png", png())
        server = self.serve(lambda name, attempt: CREATED if name == "00.png" else None)
        result = seed("-j", "2", "-u", server.url, self.images)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(
            last_line(result),
            r"^1 sent, \d refused, \d\d not tried because the server stopped responding, in \d+ s$",
        )
        self.assertIn("curl: (52)", result.stdout)

    def test_as_many_uploads_run_at_once_as_there_are_jobs(self):
        for number in range(8):
            self.write(f"{number}.png", png())
        together = threading.Barrier(4)

        def answers(name, attempt):
            together.wait(timeout=30)  # passes only while four uploads run at once
            return CREATED

        server = self.serve(answers)
        result = seed("-j", "4", "-u", server.url, self.images)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def interrupted(self, stop):
        """Starts a run whose later uploads hang, and stops it. Returns its status and output."""
        for name in ("a.png", "b.png", "c.png", "d.png"):
            self.write(name, png())
        release = threading.Event()
        self.addCleanup(release.set)

        def answers(name, attempt):
            if name != "a.png":
                release.wait(2 * TIMEOUT)
            return CREATED

        server = self.serve(answers)
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        process = subprocess.Popen(
            [BASH, str(SEED), "-j2", "-u", server.url, str(self.images)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        deadline = time.monotonic() + TIMEOUT
        # The first upload is answered, and both jobs hang in the next two.
        while len(server.uploads) < 3:
            self.assertLess(time.monotonic(), deadline, "the uploads do not arrive")
            server.arrived.wait(1)
            server.arrived.clear()
        stop(process)
        output, _ = process.communicate(timeout=TIMEOUT)
        self.assertEqual(len(server.uploads), 3, "an upload is sent again")
        self.assertIn("1 sent, 0 refused, 3 not sent because of an interruption, in ", output)
        self.assertEqual(list(self.folder.glob("seed.*")), [], "temporary files are left")
        with self.assertRaises(ProcessLookupError, msg="a curl is still running"):
            os.killpg(process.pid, 0)
        return process.returncode, output

    def test_control_c_stops_everything_and_prints_a_summary(self):
        status, output = self.interrupted(lambda process: os.killpg(process.pid, signal.SIGINT))
        self.assertEqual(status, 130, output)

    def test_a_termination_signal_to_the_script_alone_does_the_same(self):
        status, output = self.interrupted(lambda process: process.terminate())
        self.assertEqual(status, 143, output)

    def test_a_terminal_gets_one_line_that_updates(self):
        for number in range(3):
            self.write(f"{number}.png", png())
        server = self.serve(lambda name, attempt: CREATED)
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [BASH, str(SEED), "-u", server.url, str(self.images)],
            stdin=subprocess.DEVNULL,
            stdout=child,
            stderr=child,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(child)
        shown = b""
        try:
            while chunk := os.read(parent, 4096):
                shown += chunk
        except OSError:  # Linux reports the end of a terminal with EIO
            pass
        os.close(parent)
        self.assertEqual(process.wait(timeout=30), 0)
        progress, summary = shown.rsplit(b"\r\x1b[K", 1)
        self.assertNotIn(b"\n", progress)
        self.assertEqual(progress.count(b"\r"), 3)
        self.assertIn(b"[3/3] sent ", progress)
        self.assertRegex(summary, rb"^3 sent, 0 refused, in \d+ s")

    def test_a_curlrc_and_a_proxy_in_the_environment_are_ignored(self):
        self.write("a.png", png())
        (self.folder / ".curlrc").write_text('header = "X: y"\nurl = "http://192.0.2.1/"\n')
        server = self.serve(lambda name, attempt: CREATED)
        # A proxy that would make every request fail.
        nowhere = f"http://127.0.0.1:{free_port()}"
        result = seed(
            "-u",
            server.url,
            self.images,
            env={**os.environ, "HOME": str(self.folder), "http_proxy": nowhere, "ALL_PROXY": nowhere},
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class WithoutAServer(Folder):
    def test_a_missing_server_is_reported_in_one_sentence(self):
        self.write("a.png", png())
        address = f"http://127.0.0.1:{free_port()}"
        result = seed("-u", address, self.images)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, rf"^seed\.sh: cannot reach a server at {address} \(.+\)\n$")

    def test_an_empty_folder_is_not_an_error(self):
        result = seed(self.images)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("Found no images", result.stdout)

    def test_an_invalid_command_line_exits_with_status_2(self):
        for arguments in (
            [],
            ["-j"],
            ["-j", "0", "."],
            ["-j", "65", "."],
            ["-j", "four", "."],
            ["-u", "ftp://127.0.0.1", "."],
            ["-b", "party", "."],
            ["-t", "a b", "."],
            ["-x", "."],
        ):
            with self.subTest(arguments=arguments):
                result = seed(*arguments, cwd=self.images)
                self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
                self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_help_is_printed(self):
        for option in ("-h", "--help"):
            result = seed(option)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("Usage: seed.sh [-j JOBS] [-u URL] [-b BOARD] [-t TOKEN] DIR|FILE...", result.stdout)


if __name__ == "__main__":
    unittest.main()
