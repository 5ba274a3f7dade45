"""The ReQL server under test: the embedded engine, or the RethinkDB at TEST_RETHINKDB_URL."""

import os
import tempfile
import urllib.parse

from support.server import Server, free_port


class Reql:
    """The address and the credentials of a ReQL server. Without TEST_RETHINKDB_URL it starts one of its own."""

    def __init__(self, password=None):
        given = os.environ.get("TEST_RETHINKDB_URL")
        self._server = self._folder = None
        self.user = "admin"
        # A test with a password starts its own engine, because the password of the given RethinkDB is fixed.
        if given and password is None:
            url = urllib.parse.urlsplit(given)
            self.host, self.port = url.hostname, url.port or 28015
            self.user, self.password = url.username or "admin", url.password or ""
            return
        self._folder = tempfile.TemporaryDirectory()
        self.host, self.port, self.password = "127.0.0.1", free_port(), password or ""
        arguments = ["--reql-listen", f"{self.host}:{self.port}"]
        if password is not None:
            arguments += ["--reql-password", password]
        self._server = Server(*arguments, data=self._folder.name)

    @property
    def is_embedded(self):
        return self._server is not None

    def address(self):
        return f"{self.host}:{self.port}"

    def options(self):
        """The arguments of the drivers' connect()."""
        return {"host": self.host, "port": self.port, "user": self.user, "password": self.password}

    def stop(self):
        if self._server is not None:
            self._server.stop()
            self._folder.cleanup()
