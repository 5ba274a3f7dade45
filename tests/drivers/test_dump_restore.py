"""Moves a board with rethinkdb-dump and rethinkdb-restore and compares the images over HTTP.

With TEST_RETHINKDB_URL, a board is also moved from the embedded engine to that RethinkDB.
Run: python3 -m unittest discover -s tests/drivers
"""

import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
import urllib.parse

from rethinkdb import r

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.images import gif, png
from support.server import BINARY, ROOT, Server, free_port

TOOLS = pathlib.Path(sys.executable).parent  # the folder that pip installs rethinkdb-dump and rethinkdb-restore into
DUMP = [str(TOOLS / "rethinkdb-dump")]
RESTORE = [str(TOOLS / "rethinkdb-restore")]
RESTORE_LARGE = [sys.executable, str(ROOT / "scripts/restore.py")]
DATABASE = "realtime_photo"
TIMEOUT = 300


class Board(unittest.TestCase):
    """A test with a folder and with servers whose embedded engine listens for drivers."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.archive = self.folder / "board.tar.gz"

    def board(self, password=None):
        """Starts a server with an empty board."""
        address = f"127.0.0.1:{free_port()}"
        arguments = ["--reql-listen", address]
        if password is not None:
            arguments += ["--reql-password", password]
        server = Server(*arguments, data=tempfile.mkdtemp(dir=self.folder))
        self.addCleanup(server.stop)
        server.reql = address
        return server

    def tool(self, command, address, *arguments):
        result = subprocess.run(
            [*command, "-c", address, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            cwd=self.folder,
        )
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def fill(self, server):
        """Uploads images of several types and sizes. Returns their SHA-256 by id."""
        files = {
            "noise.png": png(300, 200, seed=1),
            "one pixel.gif": gif(),
            'ünïcödé 📷 "quoted".png': png(5, 5, seed=2),
            "large.png": png(1200, 900, seed=3),
        }
        digests = {}
        for name, data in files.items():
            record = server.upload(data, name=name, author="me", alt=f"about {name}")
            digests[record["id"]] = hashlib.sha256(data).hexdigest()
        for seed in range(40):
            data = png(16, 16, seed=100 + seed)
            record = server.upload(data, name=f"{seed}.png", x=seed * 1.5, y=-seed, w=16)
            digests[record["id"]] = hashlib.sha256(data).hexdigest()
        return digests

    def assert_same_board(self, old, new, digests):
        self.assertEqual(new.images(), old.images())
        found = {
            record["id"]: hashlib.sha256(new.get(f"/image/{record['id']}")).hexdigest()
            for record in new.images()
        }
        self.assertEqual(found, digests)
        for record in new.images():
            self.assertEqual(record["sha256"], digests[record["id"]])


class DumpAndRestore(Board):
    def test_restore_with_force_is_complete_and_repeatable(self):
        old, new = self.board(), self.board()
        digests = self.fill(old)
        output = self.tool(DUMP, old.reql, "-f", self.archive)
        self.assertIn(f"{2 * len(digests) + 1} rows exported from 4 tables", output)
        # --force, because the new server has already created its empty tables.
        self.tool(RESTORE, new.reql, self.archive, "--force")
        self.assert_same_board(old, new, digests)
        # A second restore overwrites the same documents.
        self.tool(RESTORE, new.reql, self.archive, "--force")
        self.assert_same_board(old, new, digests)

    def test_one_database_is_restored_into_missing_tables(self):
        old, new = self.board(), self.board()
        digests = self.fill(old)
        self.tool(DUMP, old.reql, "-q", "-f", self.archive, "-e", DATABASE)
        host, port = new.reql.split(":")
        with r.connect(host=host, port=int(port)) as conn:
            r.db_drop(DATABASE).run(conn)
        output = self.tool(RESTORE, new.reql, self.archive, "-i", DATABASE)
        self.assertIn(f"{2 * len(digests) + 1} rows imported to 4 tables", output)
        self.assert_same_board(old, new, digests)

    def test_restore_keeps_images_that_are_not_in_the_dump(self):
        old, new = self.board(), self.board()
        first = old.upload(png(seed=1), name="first.png")
        self.tool(DUMP, old.reql, "-q", "-f", self.archive)
        self.tool(RESTORE, new.reql, "-q", self.archive, "--force")
        own = new.upload(png(seed=2), name="own.png")
        self.tool(RESTORE, new.reql, "-q", self.archive, "--force")
        self.assertEqual({record["id"] for record in new.images()}, {first["id"], own["id"]})

    def test_dump_and_restore_with_a_password(self):
        old, new = self.board(password="first secret"), self.board(password="second secret")
        digests = self.fill(old)
        secrets = {}
        for name in ("first", "second"):
            secrets[name] = self.folder / name
            secrets[name].write_text(f"{name} secret\n")
        self.tool(DUMP, old.reql, "-q", "-f", self.archive, "--password-file", secrets["first"])
        self.tool(
            RESTORE, new.reql, "-q", self.archive, "--force", "--password-file", secrets["second"]
        )
        self.assert_same_board(old, new, digests)

    def test_a_hard_restore_survives_a_kill(self):
        data = self.folder / "kept"
        address = f"127.0.0.1:{free_port()}"
        old = self.board()
        digests = self.fill(old)
        self.tool(DUMP, old.reql, "-q", "-f", self.archive)
        new = Server("--reql-listen", address, data=data)
        self.addCleanup(new.stop)
        self.tool(RESTORE, address, "-q", self.archive, "--force", "--hard-durability")
        new.kill()
        again = Server(data=data)
        self.addCleanup(again.stop)
        self.assert_same_board(old, again, digests)

    def test_the_script_restores_more_than_fits_into_one_query(self):
        # More than RethinkDB accepts in one query (128 MiB). rethinkdb-restore sends 200 documents in one.
        documents = {key: chr(ord("a") + key) * 15_500_000 for key in range(9)}
        self.assertGreater(sum(map(len, documents.values())), 134_217_727)
        self.write_archive("large", "t", [{"id": k, "text": t} for k, t in documents.items()])
        new = self.board()
        self.tool(RESTORE_LARGE, new.reql, "-q", self.archive)
        host, port = new.reql.split(":")
        with r.connect(host=host, port=int(port)) as conn:
            table = r.db("large").table("t")
            self.assertEqual(sorted(table["id"].run(conn)), sorted(documents))
            self.assertEqual(table.get(8)["text"].run(conn), documents[8])

    def write_archive(self, database, table, documents):
        """Writes an archive in the format of rethinkdb-dump."""
        information = {
            "db": {"name": database, "type": "DB"},
            "name": table,
            "primary_key": "id",
            "type": "TABLE",
            "indexes": [],
            "write_hook": None,
        }
        rows = ",\n".join(json.dumps(document) for document in documents)
        with tarfile.open(self.archive, "w:gz", compresslevel=1) as archive:
            for suffix, text in (("info", json.dumps(information)), ("json", f"[\n{rows}\n]\n")):
                data = text.encode()
                member = tarfile.TarInfo(f"rethinkdb_dump/{database}/{table}.{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


class MovingToRethinkDB(Board):
    def setUp(self):
        super().setUp()
        self.url = os.environ["TEST_RETHINKDB_URL"].rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.port = parts.hostname, parts.port or 28015
        with self.connect() as conn:
            if DATABASE in r.db_list().run(conn):
                self.fail(f"{self.url} already has a database {DATABASE}")
        self.addCleanup(self.drop)

    def connect(self):
        return r.connect(host=self.host, port=self.port)

    def drop(self):
        with self.connect() as conn:
            if DATABASE in r.db_list().run(conn):
                r.db_drop(DATABASE).run(conn)

    def indexes(self, conn):
        """The indexes of each table, with their functions without their places in a query, and whether they are multi."""
        functions = {}
        for table in r.db(DATABASE).table_list().run(conn):
            for index in r.db(DATABASE).table(table).index_wait().run(conn):
                terms = re.search(rb"\[.*\]", index["function"]).group()
                functions[table, index["index"]] = (re.sub(rb",\d+\]", b"]", terms), index["multi"])
        return functions

    def test_a_board_moves_to_rethinkdb_and_back_with_its_indexes(self):
        old = self.board()
        digests = self.fill(old)
        host, port = old.reql.split(":")
        with r.connect(host=host, port=int(port)) as conn:
            table = r.db(DATABASE).table("placements")
            table.index_create("names", lambda row: [row["name"].default(None), row["x"] * 1.5]).run(conn)
            table.index_create("words", lambda row: [row["name"], row["id"]], multi=True).run(conn)
            indexes = self.indexes(conn)
            words = table.get_all("large.png", index="words").count().run(conn)
        self.tool(DUMP, old.reql, "-q", "-f", self.archive)
        self.tool(RESTORE_LARGE, f"{self.host}:{self.port}", "-q", self.archive)
        with self.connect() as conn:
            self.assertEqual(self.indexes(conn), indexes)
            self.assertEqual(r.db(DATABASE).table("placements").get_all("large.png", index="words").count().run(conn), words)
        moved = Server("--rethinkdb", self.url)
        self.addCleanup(moved.stop)
        self.assert_same_board(old, moved, digests)
        moved.stop()
        back = self.folder / "back.tar.gz"
        self.tool(DUMP, f"{self.host}:{self.port}", "-q", "-f", back, "-e", DATABASE)
        new = self.board()
        host, port = new.reql.split(":")
        with r.connect(host=host, port=int(port)) as conn:
            r.db_drop(DATABASE).run(conn)
            self.tool(RESTORE_LARGE, new.reql, "-q", back)
            self.assertEqual(self.indexes(conn), indexes)
        self.assert_same_board(old, new, digests)

    def test_a_backup_is_restored_into_rethinkdb_and_its_backup_into_a_folder(self):
        old = self.board()
        digests = self.fill(old)
        first, second = self.folder / "first.jsonl", self.folder / "second.jsonl"
        self.program("backup", first, "--server", old.url)
        printed = self.program("restore", first, "--rethinkdb", self.url)
        self.assertIn("rows restored into the database", printed)
        moved = Server("--rethinkdb", self.url)
        self.addCleanup(moved.stop)
        self.assert_same_board(old, moved, digests)
        self.program("backup", second, "--server", moved.url)
        moved.stop()
        printed = self.program("restore", first, "--rethinkdb", self.url, status=1)
        self.assertIn("is not empty", printed)
        data = self.folder / "restored"
        self.program("restore", second, "--data", data)
        new = Server(data=data)
        self.addCleanup(new.stop)
        self.assert_same_board(old, new, digests)

    def program(self, *arguments, status=0):
        """Runs the program and returns what it printed."""
        result = subprocess.run(
            [BINARY, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            cwd=self.folder,
        )
        self.assertEqual(result.returncode, status, result.stdout)
        return result.stdout


if not os.environ.get("TEST_RETHINKDB_URL"):
    # There is no RethinkDB to move to. Deleted instead of skipped: a skipped test is a failure.
    del MovingToRethinkDB


if __name__ == "__main__":
    unittest.main()
