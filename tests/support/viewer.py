"""A viewer of a board: a WebSocket that notes when it is told of which image. Needs no library."""

import base64
import json
import os
import socket
import struct
import threading
import time
import urllib.parse

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Viewer:
    """Follows the main board of a server in a thread of its own, and reconnects when the socket ends."""

    def __init__(self, url):
        self._address = urllib.parse.urlsplit(url)
        self.arrivals = []  # times of changes, in the clock of time.monotonic
        self.images = set()  # the ids that it shows now
        self.interruptions = 0
        self.reconnects = -1
        self.ready = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self._thread.join()

    def _follow(self):
        while not self._ended.is_set():
            try:
                self.reconnects += 1
                with socket.create_connection((self._address.hostname, self._address.port), 5) as connection:
                    connection.settimeout(0.2)
                    self._handshake(connection)
                    self._read(connection)
            except OSError:
                self._ended.wait(0.1)

    def _handshake(self, connection):
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {self._address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._receive(connection, 1)
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head)

    def _read(self, connection):
        while True:
            first, length = self._receive(connection, 2)
            if length == 126:
                (length,) = struct.unpack(">H", self._receive(connection, 2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._receive(connection, 8))
            payload = self._receive(connection, length)
            kind = first & 15
            if kind == TEXT:
                self._on_message(json.loads(payload))
            elif kind == PING:
                # Masked with zeros, which leave it as it is.
                connection.sendall(bytes([128 | PONG, 128 | length, 0, 0, 0, 0]) + payload)
            elif kind == CLOSE:
                raise ConnectionError("the server closed the socket")

    def _receive(self, connection, size):
        data = b""
        while len(data) < size:
            if self._ended.is_set():
                raise ConnectionError("the viewer stops")
            try:
                part = connection.recv(size - len(data))
            except TimeoutError:
                continue
            if not part:
                raise ConnectionError("the socket ended")
            data += part
        return data

    def _on_message(self, message):
        event, data = message["event"], message.get("data")
        if event == "Image:update":
            self.images.add(data["id"])
            if self.ready.is_set():
                self.arrivals.append(time.monotonic())
        elif event == "Feed:state" and data["state"] == "initializing":
            self.images.clear()
        elif event == "Feed:state" and data["state"] == "ready":
            self.arrivals.append(time.monotonic())
            self.ready.set()
        elif event == "Feed:state" and data["state"] == "interrupted":
            self.interruptions += 1
            self.ready.clear()
