"""Starts the real binary for a test and talks to it over HTTP."""

import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("REALTIME_PHOTO_BIN", str(ROOT / "target/debug/realtime-photo"))
START_TIMEOUT = 60
STOP_TIMEOUT = 20

# Without the proxies of the environment, which cannot reach 127.0.0.1.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port():
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server with its `url`. Use it in a `with` statement, or call `stop`."""

    def __init__(self, *arguments, data=None):
        command = [BINARY, "--listen", "127.0.0.1:0"]
        if data is not None:
            command += ["--data", str(data)]
        command += arguments
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("RETHINKDB_URL", "REQL_PASSWORD")
            and not name.startswith("REALTIME_PHOTO_")
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        )
        self._lines = []
        self._address = queue.Queue()
        threading.Thread(target=self._follow, daemon=True).start()
        try:
            self.url = self._address.get(timeout=START_TIMEOUT)
        except queue.Empty:
            self.url = None
        if self.url is None:
            self._process.kill()
            self._process.wait()
            raise AssertionError("the server printed no address:\n" + self.output())

    def _follow(self):
        """Reads all output, so that the server never blocks on a full pipe. Finds the address in it."""
        found = False
        for line in self._process.stdout:
            self._lines.append(line)
            start = line.find("http://")
            if start >= 0 and not found:
                found = True
                address = urllib.parse.urlsplit(line[start:].split()[0])
                self._address.put(f"http://{address.netloc}")
        self._process.stdout.close()
        if not found:
            self._address.put(None)

    def output(self):
        """The output of the server so far."""
        return "".join(self._lines)

    def stop(self):
        """Stops the server as Ctrl-C does. Returns its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not stop:\n" + self.output()) from None

    def kill(self):
        """Kills the server without a chance to clean up."""
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print("--- output of the server ---\n" + self.output())
        self.stop()

    # --- HTTP

    def get(self, path):
        """The body of the response to a GET request."""
        with _opener.open(self.url + path, timeout=60) as answer:
            return answer.read()

    def json(self, path, body=None, token=None):
        """The JSON answer to a GET request, or to a POST of `body`."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with _opener.open(request, timeout=60) as answer:
            return json.loads(answer.read())

    def post(self, path):
        """The body of the answer to an empty POST request."""
        request = urllib.request.Request(self.url + path, method="POST")
        with _opener.open(request, timeout=60) as answer:
            return answer.read()

    def images(self):
        """All records, newest first."""
        records, before = [], None
        while True:
            query = {"limit": 1000} if before is None else {"limit": 1000, "before": before}
            page = json.loads(self.get("/images?" + urllib.parse.urlencode(query)))
            records += page["images"]
            before = page["next"]
            if before is None:
                return records

    def upload(self, file, name="image.png", **fields):
        """Uploads a file. Returns its record."""
        boundary = uuid.uuid4().hex
        body = b""
        for field, value in {"fileName": name, **fields}.items():
            body += (
                f"--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            ).encode()
        body += (
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        body += file + f"\r\n--{boundary}--\r\n".encode()
        request = urllib.request.Request(
            self.url + "/image",
            data=body,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        with _opener.open(request, timeout=60) as answer:
            return json.loads(answer.read())
