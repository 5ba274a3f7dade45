"""Opens a folder and a RethinkDB database of release 0.1.0 (tests/upgrade) with the present program.

The database is in a RethinkDB at TEST_RETHINKDB_URL, or in the embedded engine, of which only the ReQL port is used.
Run: python3 -m unittest discover -s tests/drivers
"""

import gzip
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from rethinkdb import r

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.images import png
from support.reql import Reql
from support.server import ROOT, Server, free_port

FILES = ROOT / "tests/upgrade"
RESTORE = pathlib.Path(sys.executable).parent / "rethinkdb-restore"
DATABASE = "realtime_photo"
TIMEOUT = 120

# Large, animated or not upright.
WITH_THUMBNAIL = {"eighth.jpg", "whole.jpg", "animated.gif", "rotated.jpg", "camera.jpg"}

INDEXES = {
    "images": ["board"],
    "placements": ["board", "timeline"],
    "layouts": [],
    "boards": [],
}


class Upgrade(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def open_folder(self, release):
        """Starts a server on a copy of the folder. Returns it, and how drivers connect to its engine."""
        with gzip.open(FILES / f"{release}-board.redb.gz") as packed:
            with open(self.folder / "board.redb", "wb") as file:
                shutil.copyfileobj(packed, file)
        port = free_port()
        server = Server("--reql-listen", f"127.0.0.1:{port}", data=self.folder)
        self.addCleanup(server.stop)
        return server, {"host": "127.0.0.1", "port": port}

    def open_database(self, release):
        """Restores the dump into a RethinkDB and starts a server on it."""
        reql = Reql()
        self.addCleanup(reql.stop)
        options = reql.options()
        with r.connect(**options) as conn:
            exists = DATABASE in r.db_list().run(conn)
            if exists and not reql.is_embedded:
                self.fail(f"{reql.address()} already has a database {DATABASE}")
            if exists:
                # The tables of the present release, which the engine's own server has made.
                r.db_drop(DATABASE).run(conn)
        self.addCleanup(self.drop_database, options)
        archive = FILES / f"{release}-dump.tar.gz"
        restored = subprocess.run(
            [RESTORE, "-q", "-c", reql.address(), archive],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
        self.assertEqual(restored.returncode, 0, restored.stdout)
        with r.connect(**options) as conn:
            tables = r.db(DATABASE).table_list().run(conn)
            indexes = [r.db(DATABASE).table(table).index_list().run(conn) for table in tables]
        self.assertEqual((sorted(tables), indexes), (["images", "placements"], [[], []]))
        server = Server("--rethinkdb", f"rethinkdb://{reql.address()}/{DATABASE}")
        self.addCleanup(server.stop)
        return server, options

    def drop_database(self, options):
        with r.connect(**options) as conn:
            if DATABASE in r.db_list().run(conn):
                r.db_drop(DATABASE).run(conn)

    def assert_upgraded(self, release, server, options):
        expected = json.loads((FILES / f"{release}.json").read_text())
        before = {record["id"]: record for record in expected["images"]}
        self.assert_shown(before, expected["files"], server)
        after = self.previews(server, before)
        self.assertEqual([record["id"] for record in server.images()], list(before))
        self.assert_shown(before, expected["files"], server)
        for record in after.values():
            if "thumb" in record:
                self.assertGreater(len(server.get(record["thumb"])), 100)
                small = f"/image/{record['id']}/thumbnail?size=64"
                self.assertGreater(len(server.get(small)), 100)
        self.assert_indexes(options)
        (board,) = server.json("/boards")["boards"]
        # With the bin.
        count = len(before) + (expected["deleted"] is not None)
        self.assertEqual((board["id"], board["images"]), ("main", count))
        self.assert_restores(expected, before, server)
        self.assert_takes_uploads(after, server)

    def assert_shown(self, before, files, server):
        """Every image has the same bytes, position and description as before."""
        records = {record["id"]: record for record in server.images()}
        self.assertEqual(records.keys(), before.keys())
        for id, record in before.items():
            self.assertEqual(records[id], {**records[id], **record})
            self.assertEqual(hashlib.sha256(server.get(record["url"])).hexdigest(), files[id])

    def previews(self, server, before):
        """Waits until all images have what the present release adds. Returns their records."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            records = {record["id"]: record for record in server.images()}
            missing = [
                record["fileName"]
                for record in records.values()
                if record["type"] != "image/avif" and "thumbhash" not in record
            ]
            if not missing:
                break
            self.assertLess(time.monotonic(), deadline, f"no ThumbHash: {missing}")
            time.sleep(0.05)
        with_thumb = {record["fileName"] for record in records.values() if "thumb" in record}
        self.assertEqual(with_thumb, WITH_THUMBNAIL)
        return records

    def assert_indexes(self, options):
        with r.connect(**options) as conn:
            found = {}
            for table in r.db(DATABASE).table_list().run(conn):
                status = r.db(DATABASE).table(table).index_status().run(conn)
                self.assertTrue(all(index["ready"] for index in status), status)
                found[table] = sorted(index["index"] for index in status)
            self.assertEqual(found, INDEXES)
            placements = r.db(DATABASE).table("placements")
            rows = placements.get_all("main", index="board").count().run(conn)
            self.assertEqual(rows, placements.count().run(conn))

    def assert_restores(self, expected, before, server):
        """An image in the bin can be restored."""
        deleted = [record["id"] for record in server.json("/images/deleted")["images"]]
        if expected["deleted"] is None:
            self.assertEqual(deleted, [])
            return
        self.assertEqual(deleted, [expected["deleted"]["id"]])
        server.post(f"/image/{deleted[0]}/restore")
        records = {record["id"]: record for record in server.images()}
        self.assertEqual(records.keys(), before.keys() | set(deleted))
        digest = hashlib.sha256(server.get(f"/image/{deleted[0]}")).hexdigest()
        self.assertEqual(digest, expected["deleted"]["sha256"])

    def assert_takes_uploads(self, after, server):
        """A new image is the newest one, and covers none of the others."""
        data = png(120, 90, seed=1)
        new = server.upload(data, name="new.png")
        self.assertEqual(server.get(new["url"]), data)
        self.assertEqual(server.images()[0], new)
        for record in after.values():
            self.assertFalse(overlap(area(new), area(record)), (new, record))

    def test_a_folder_opens_and_gets_previews_and_indexes(self):
        self.assert_upgraded("0.1.0", *self.open_folder("0.1.0"))

    def test_a_database_opens_and_gets_previews_and_indexes(self):
        self.assert_upgraded("0.1.0", *self.open_database("0.1.0"))

    def test_a_folder_without_thumbnails_opens_and_gets_them(self):
        self.assert_upgraded("0.1.0-first", *self.open_folder("0.1.0-first"))

    def test_a_database_without_thumbnails_opens_and_gets_them(self):
        self.assert_upgraded("0.1.0-first", *self.open_database("0.1.0-first"))


def area(record):
    """Left, top, right and bottom edge."""
    height = record["w"] * record["height"] / record["width"]
    return record["x"], record["y"], record["x"] + record["w"], record["y"] + height


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


if __name__ == "__main__":
    unittest.main()
