"""The official Python driver against the embedded engine, or against the RethinkDB at TEST_RETHINKDB_URL.

Run: python3 -m unittest discover -s tests/drivers
"""

import datetime
import pathlib
import sys
import threading
import time
import unittest
import uuid

from rethinkdb import errors, r

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.reql import Reql

FEED_TIMEOUT = 60  # seconds to wait for an element of a feed


def setUpModule():
    global reql
    reql = Reql()


def tearDownModule():
    reql.stop()


class Driver(unittest.TestCase):
    """A test with its own connection and its own database, which holds the empty table `t`."""

    def setUp(self):
        self.conn = self.connect()
        self.db = "test_" + uuid.uuid4().hex
        r.db_create(self.db).run(self.conn)
        self.addCleanup(lambda: r.db_drop(self.db).run(self.connect()))
        r.db(self.db).table_create("t").run(self.conn)
        self.table = r.db(self.db).table("t")
        self.table.wait().run(self.conn)

    def connect(self):
        conn = r.connect(**reql.options())
        self.addCleanup(conn.close, noreply_wait=False)
        return conn


class Connections(Driver):
    def test_server_info_has_an_id_and_a_name(self):
        server = self.conn.server()
        self.assertEqual(str(uuid.UUID(server["id"])), server["id"])
        self.assertIsInstance(server["name"], str)
        self.assertIs(server["proxy"], False)

    def test_the_version_is_accepted_by_the_tools(self):
        version = r.db("rethinkdb").table("server_status")[0]["process"]["version"].run(self.conn)
        self.assertRegex(version, r"^rethinkdb \d+\.\d+\.\d+")

    def test_a_connection_keeps_its_default_database_when_it_reconnects(self):
        self.conn.use(self.db)
        r.table("t").insert({"id": 1}).run(self.conn)
        self.conn.reconnect()
        self.assertEqual(r.table("t").get(1).run(self.conn), {"id": 1})

    def test_noreply_wait_returns_after_all_noreply_writes(self):
        for number in range(100):
            self.table.insert({"id": number}).run(self.conn, noreply=True)
        self.conn.noreply_wait()
        self.assertEqual(self.table.count().run(self.connect()), 100)

    def test_tables_are_created_listed_and_dropped(self):
        self.assertIn(self.db, r.db_list().run(self.conn))
        created = r.db(self.db).table_create("other", primary_key="key").run(self.conn)
        self.assertEqual(created["tables_created"], 1)
        self.assertEqual(r.db(self.db).table_list().run(self.conn), ["other", "t"])
        r.db(self.db).table_drop("other").run(self.conn)
        self.assertEqual(r.db(self.db).table_list().run(self.conn), ["t"])

    def test_many_connections_at_once(self):
        failures = []

        def work(number):
            try:
                conn = self.connect()
                self.table.insert({"id": number}).run(conn)
                if self.table.get(number).run(conn) != {"id": number}:
                    failures.append(number)
            except Exception as error:  # raised in a thread; reported below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.table.count().run(self.conn), 24)


class Documents(Driver):
    def test_a_document_round_trips(self):
        document = {
            "id": "one",
            "text": "ünïcödé 写真 📷 \u0001 \"quoted\" back\\slash",
            "numbers": [0, -1, 1.5, 1e300, 2**53],
            "nothing": None,
            "yes": True,
            "nested": {"a": [{"b": []}, {}]},
        }
        result = self.table.insert(document).run(self.conn)
        self.assertEqual((result["inserted"], result["errors"]), (1, 0))
        self.assertEqual(self.table.get("one").run(self.conn), document)

    def test_a_missing_primary_key_is_generated(self):
        result = self.table.insert([{"a": 1}, {"a": 2}]).run(self.conn)
        self.assertEqual(len(result["generated_keys"]), 2)
        for key in result["generated_keys"]:
            self.assertEqual(str(uuid.UUID(key)), key)
            self.assertIn(self.table.get(key)["a"].run(self.conn), (1, 2))

    def test_binaries_of_all_lengths_round_trip(self):
        documents = [
            {"id": size, "file": bytes(n * 7 % 256 for n in range(size))}
            for size in (0, 1, 2, 3, 56, 57, 58, 255, 256, 1000, 100_000)
        ]
        self.table.insert(
            [{**document, "file": r.binary(document["file"])} for document in documents]
        ).run(self.conn)
        for document in documents:
            found = self.table.get(document["id"]).run(self.conn)
            self.assertEqual(bytes(found["file"]), document["file"])
        raw = self.table.get(58).run(self.conn, binary_format="raw")["file"]
        self.assertEqual(raw["$reql_type$"], "BINARY")

    def test_an_image_of_ten_mebibytes_round_trips(self):
        image = bytes(range(256)) * 40 * 1024
        self.table.insert({"id": 1, "file": r.binary(image)}).run(self.conn)
        self.assertEqual(bytes(self.table.get(1)["file"].run(self.conn)), image)
        self.assertEqual(self.table.without("file").run(self.conn).next(), {"id": 1})

    def test_times_round_trip_with_offset_and_milliseconds(self):
        zone = r.make_timezone("+02:00")
        moment = datetime.datetime(2025, 1, 31, 12, 0, 0, 123000, tzinfo=zone)
        self.table.insert({"id": 1, "at": moment}).run(self.conn)
        found = self.table.get(1)["at"].run(self.conn)
        self.assertEqual(found, moment)
        self.assertEqual(found.utcoffset(), datetime.timedelta(hours=2))
        now = r.now().run(self.conn)
        self.assertLess(abs(now - datetime.datetime.now(datetime.timezone.utc)).total_seconds(), 60)
        iso = self.table.get(1)["at"].to_iso8601().run(self.conn)
        self.assertEqual(iso, "2025-01-31T12:00:00.123+02:00")

    def test_update_replace_and_delete(self):
        self.table.insert([{"id": n, "n": n} for n in range(5)]).run(self.conn)
        result = self.table.get(1).update({"n": 10, "more": True}).run(self.conn)
        self.assertEqual((result["replaced"], result["unchanged"]), (1, 0))
        self.assertEqual(self.table.get(1).run(self.conn), {"id": 1, "n": 10, "more": True})
        self.table.get(2).update(lambda row: {"n": row["n"] + 40}).run(self.conn)
        self.assertEqual(self.table.get(2)["n"].run(self.conn), 42)
        self.table.get(3).replace({"id": 3, "new": "x"}).run(self.conn)
        self.assertEqual(self.table.get(3).run(self.conn), {"id": 3, "new": "x"})
        result = self.table.get(4).delete(return_changes=True).run(self.conn)
        self.assertEqual(result["deleted"], 1)
        self.assertEqual(result["changes"], [{"old_val": {"id": 4, "n": 4}, "new_val": None}])
        self.assertIsNone(self.table.get(4).run(self.conn))
        self.assertEqual(self.table.filter(lambda row: row["n"] > 9).delete().run(self.conn)["deleted"], 2)
        self.assertEqual(self.table.count().run(self.conn), 2)

    def test_insert_honours_the_conflict_option(self):
        self.table.insert({"id": 1, "a": 1}).run(self.conn)
        rejected = self.table.insert({"id": 1, "b": 2}).run(self.conn)
        self.assertEqual(rejected["errors"], 1)
        self.assertIn("Duplicate primary key", rejected["first_error"])
        self.table.insert({"id": 1, "b": 2}, conflict="update").run(self.conn)
        self.assertEqual(self.table.get(1).run(self.conn), {"id": 1, "a": 1, "b": 2})
        self.table.insert({"id": 1, "c": 3}, conflict="replace").run(self.conn)
        self.assertEqual(self.table.get(1).run(self.conn), {"id": 1, "c": 3})

    def test_the_queries_of_the_application(self):
        self.table.insert(
            [{"id": f"{n:02}", "n": n % 3, "file": r.binary(b"x")} for n in range(12)]
        ).run(self.conn)
        newest = self.table.order_by(index=r.desc("id")).limit(2).pluck("id").run(self.conn)
        self.assertEqual(list(newest), [{"id": "11"}, {"id": "10"}])
        before = (
            self.table.between(r.minval, "05")
            .order_by(index=r.desc("id"))
            .without("file")
            .limit(2)
            .run(self.conn)
        )
        self.assertEqual(list(before), [{"id": "04", "n": 1}, {"id": "03", "n": 0}])
        self.assertEqual(self.table.filter({"n": 1}).count().run(self.conn), 4)
        found = self.table.get_all("03", "07", "nope").order_by("id")["id"].run(self.conn)
        self.assertEqual(list(found), ["03", "07"])


class Cursors(Driver):
    COUNT = 5000

    def test_a_long_table_is_streamed_completely_and_in_order(self):
        for start in range(0, self.COUNT, 1000):
            batch = [{"id": n, "text": "x" * 200} for n in range(start, start + 1000)]
            self.table.insert(batch).run(self.conn)
        cursor = self.table.order_by(index="id")["id"].run(self.conn)
        self.assertEqual(list(cursor), list(range(self.COUNT)))
        plain = self.table.pluck("id").run(self.conn)
        self.assertEqual(sorted(row["id"] for row in plain), list(range(self.COUNT)))

    def test_closing_a_cursor_early_leaves_the_connection_usable(self):
        self.table.insert([{"id": n, "text": "x" * 1000} for n in range(2000)]).run(self.conn)
        cursor = self.table.run(self.conn)
        next(cursor)
        cursor.close()
        self.assertEqual(self.table.count().run(self.conn), 2000)

    def test_two_cursors_of_one_connection_can_be_interleaved(self):
        self.table.insert([{"id": n, "text": "x" * 500} for n in range(1500)]).run(self.conn)
        up = self.table.order_by(index="id")["id"].run(self.conn)
        down = self.table.order_by(index=r.desc("id"))["id"].run(self.conn)
        pairs = list(zip(up, down))
        self.assertEqual(pairs, [(n, 1499 - n) for n in range(1500)])


class Feeds(Driver):
    def follow(self, feed, count):
        return [feed.next(wait=FEED_TIMEOUT) for _ in range(count)]

    def assert_no_more_changes(self, feed):
        """Inserts a marker: it must be the next change, because a feed keeps the order of the commits."""
        self.table.insert({"id": "marker"}).run(self.conn)
        (change,) = self.follow(feed, 1)
        self.assertEqual(change["new_val"], {"id": "marker"})

    def test_changes_arrive_in_order_and_only_if_the_document_changed(self):
        feed = self.table.changes().run(self.connect())
        self.table.insert({"id": 1, "n": 0, "file": r.binary(b"\0\xff")}).run(self.conn)
        self.table.get(1).update({"n": 1}).run(self.conn)
        self.table.get(1).update({"n": 1}).run(self.conn)
        self.table.get(1).delete().run(self.conn)
        inserted, updated, deleted = self.follow(feed, 3)
        self.assertIsNone(inserted["old_val"])
        self.assertEqual(bytes(inserted["new_val"]["file"]), b"\0\xff")
        self.assertEqual((updated["old_val"]["n"], updated["new_val"]["n"]), (0, 1))
        self.assertEqual(deleted["old_val"]["n"], 1)
        self.assertIsNone(deleted["new_val"])
        self.assert_no_more_changes(feed)
        feed.close()

    def test_initial_values_come_between_the_states(self):
        self.table.insert([{"id": n, "file": r.binary(b"x")} for n in range(3)]).run(self.conn)
        feed = (
            self.table.without("file")
            .changes(include_initial=True, include_states=True, include_types=True)
            .run(self.connect())
        )
        first, *initial, ready = self.follow(feed, 5)
        self.assertEqual(first, {"state": "initializing", "type": "state"})
        self.assertEqual(ready, {"state": "ready", "type": "state"})
        self.assertEqual(
            sorted(initial, key=lambda item: item["new_val"]["id"]),
            [{"new_val": {"id": n}, "type": "initial"} for n in range(3)],
        )
        self.table.get(0).update({"file": r.binary(b"y")}).run(self.conn)
        self.table.get(1).update({"n": 1}).run(self.conn)
        (change,) = self.follow(feed, 1)
        self.assertEqual(
            change, {"old_val": {"id": 1}, "new_val": {"id": 1, "n": 1}, "type": "change"}
        )
        self.assert_no_more_changes(feed)
        feed.close()

    def test_a_feed_and_queries_share_a_connection(self):
        feed = self.table.changes(include_states=True).run(self.conn)
        self.assertEqual(self.follow(feed, 1), [{"state": "ready"}])
        self.table.insert({"id": 1}).run(self.conn)
        self.assertEqual(self.follow(feed, 1), [{"old_val": None, "new_val": {"id": 1}}])
        feed.close()
        self.table.insert({"id": 2}).run(self.conn)
        self.assertEqual(self.table.count().run(self.conn), 2)

    def test_a_point_feed_follows_one_document(self):
        feed = self.table.get("a").changes(include_initial=True).run(self.connect())
        self.assertEqual(self.follow(feed, 1), [{"new_val": None}])
        self.table.insert([{"id": "b"}, {"id": "a", "n": 1}]).run(self.conn)
        self.assertEqual(self.follow(feed, 1), [{"old_val": None, "new_val": {"id": "a", "n": 1}}])
        feed.close()

    def test_a_feed_of_keys_misses_no_change_while_it_sends_large_initial_values(self):
        large = "x" * 700_000
        self.table.insert([{"id": key, "n": 0, "text": large} for key in "amz"]).run(self.conn)
        feed = self.table.get_all("z", "m", "a").changes(include_initial=True).run(self.connect())
        # The server sends a megabyte at a time, so the last values are not read yet.
        seen = [self.follow(feed, 1)[0]["new_val"]["id"]]
        for key in "amz":
            self.table.get(key).update({"n": 1}).run(self.conn)
        latest = {}
        while len(latest) < 3 or set(latest.values()) != {1}:
            change = self.follow(feed, 1)[0]["new_val"]
            latest[change["id"]] = change["n"]
            seen.append(change["id"])
        self.assertEqual(set(seen), set("amz"))
        feed.close()

    def test_a_feed_of_an_index_follows_the_documents_with_its_value(self):
        self.table.index_create("board", r.row["board"].default("main")).run(self.conn)
        self.table.index_wait("board").run(self.conn)
        self.table.insert([{"id": 1}, {"id": 2, "board": "b"}, {"id": 3, "board": "main"}]).run(self.conn)
        rows = self.table.get_all("main", index="board").without("board")
        feed = rows.changes(include_initial=True).run(self.connect())
        initial = [change["new_val"] for change in self.follow(feed, 2)]
        self.assertCountEqual(initial, [{"id": 1}, {"id": 3}])
        self.table.insert([{"id": 4, "board": "b"}, {"id": 5}]).run(self.conn)
        self.table.get(1).update({"board": "b"}).run(self.conn)
        self.table.get(2).update({"board": "main"}).run(self.conn)
        self.assertEqual(
            self.follow(feed, 3),
            [
                {"old_val": None, "new_val": {"id": 5}},
                {"old_val": {"id": 1}, "new_val": None},
                {"old_val": None, "new_val": {"id": 2}},
            ],
        )
        feed.close()

    def test_a_feed_of_an_index_misses_no_change_while_it_sends_large_initial_values(self):
        self.table.index_create("board").run(self.conn)
        self.table.index_wait("board").run(self.conn)
        large = "x" * 700_000
        self.table.insert([{"id": key, "board": 1, "n": 0, "text": large} for key in "agmz"]).run(self.conn)
        self.table.insert({"id": "h", "board": 2, "n": 0}).run(self.conn)
        rows = self.table.get_all(1, index="board")
        feed = rows.changes(include_initial=True).run(self.connect())
        # The server sends a megabyte at a time, so the last values are not read yet.
        latest = {}
        first = self.follow(feed, 1)[0]["new_val"]
        latest[first["id"]] = first["n"]
        self.table.get("h").update({"board": 1}).run(self.conn)
        self.table.get("m").update({"board": 2}).run(self.conn)
        self.table.insert({"id": "i", "board": 1, "n": 1}).run(self.conn)
        for key in "ahz":
            self.table.get(key).update({"n": 1}).run(self.conn)
        wanted = {row["id"]: row["n"] for row in rows.run(self.conn)}
        while latest != wanted:
            change = self.follow(feed, 1)[0]
            if change["new_val"] is None:
                latest.pop(change["old_val"]["id"], None)
            else:
                latest[change["new_val"]["id"]] = change["new_val"]["n"]
        self.assertEqual(sorted(latest), list("aghiz"))
        feed.close()

    def test_feeds_of_one_query_start_with_the_values_of_their_time(self):
        self.table.index_create("board").run(self.conn)
        self.table.index_wait("board").run(self.conn)
        rows = self.table.get_all("a", index="board")

        def start():
            feed = rows.changes(include_initial=True, include_states=True).run(self.connect())
            seen = []
            for change in feed:
                if change.get("state") == "ready":
                    return feed, seen
                seen += [change["new_val"]["id"]] if "new_val" in change else []

        feeds = []
        for n in range(20):
            self.table.insert({"id": n, "board": "ab"[n % 2]}).run(self.conn)
            for _ in range(2):
                feed, seen = start()
                feeds.append(feed)
                self.assertCountEqual(seen, range(0, n + 1, 2))
        self.table.get(0).delete().run(self.conn)
        self.assertCountEqual(start()[1], range(2, 20, 2))
        for feed in feeds:
            feed.close()

    def test_an_index_is_read_in_order_counted_and_renamed(self):
        self.table.insert([{"id": n, "tags": ["x", "y"][: n % 3], "n": n % 4} for n in range(300)]).run(self.conn)
        self.assertEqual(self.table.index_create("n").run(self.conn), {"created": 1})
        self.table.index_create("pair", [r.row["n"], r.row["id"]]).run(self.conn)
        self.table.index_create("tags", multi=True).run(self.conn)
        statuses = self.table.index_wait().run(self.conn)
        self.assertEqual([(status["index"], status["ready"]) for status in statuses],
                         [("n", True), ("pair", True), ("tags", True)])
        self.assertEqual(self.table.get_all(1, 3, index="n").count().run(self.conn), 150)
        self.assertEqual(self.table.get_all("x", index="tags").count().run(self.conn), 200)
        self.assertEqual(list(self.table.distinct(index="tags").run(self.conn)), ["x", "y"])
        self.assertEqual(list(self.table.distinct(index="n").run(self.conn)), [0, 1, 2, 3])
        newest = self.table.order_by(index=r.desc("pair")).limit(2)["id"].run(self.conn)
        self.assertEqual(list(newest), [299, 295])
        part = self.table.between([2, 100], [2, 110], index="pair").order_by(index="pair")["id"].run(self.conn)
        self.assertEqual(list(part), [102, 106])
        part = self.table.between([2, r.minval], [2, r.maxval], index="pair")
        self.assertEqual(part.count().run(self.conn), 75)
        self.assertEqual(list(self.table.between(1, 2, index="n", right_bound="closed").distinct(index="n").run(self.conn)), [1, 2])
        down = self.table.order_by(index=r.desc("pair")).between([2, 100], [2, 110])["id"].run(self.conn)
        self.assertEqual(list(down), [106, 102])
        with self.assertRaisesRegex(errors.ReqlQueryLogicError, "multiple BETWEENs"):
            self.table.between(1, 2, index="n").between(1, 2, index="n").run(self.conn)
        with self.assertRaisesRegex(errors.ReqlQueryLogicError, "Indexed order_by can only be performed"):
            self.table.get_all(1, index="n").order_by(index="n").run(self.conn)
        with self.assertRaisesRegex(errors.ReqlOpFailedError, "Index `x` does not exist on table"):
            self.table.index_drop("x").run(self.conn)
        self.assertEqual(self.table.max(index="pair")["id"].run(self.conn), 299)
        self.assertEqual(self.table.index_rename("n", "m").run(self.conn), {"renamed": 1})
        self.wait_for_rename("m", 75)
        with self.assertRaisesRegex(errors.ReqlOpFailedError, "Index `n` was not found on table"):
            self.table.get_all(1, index="n").run(self.conn)
        with self.assertRaisesRegex(errors.ReqlOpFailedError, "Index `m` does not exist or index `pair` already exists on table"):
            self.table.index_rename("m", "pair").run(self.conn)
        self.table.index_rename("m", "pair", overwrite=True).run(self.conn)
        self.assertEqual(self.table.index_list().run(self.conn), ["pair", "tags"])
        self.wait_for_rename("pair", 75)

    def wait_for_rename(self, name, count):
        """Waits until the index has `count` documents of the value 1: RethinkDB answers before a new name is in use."""
        def found():
            try:
                return self.table.get_all(1, index=name).count().run(self.conn)
            except errors.ReqlOpFailedError:
                return None

        deadline = time.monotonic() + FEED_TIMEOUT
        while found() != count:
            self.assertLess(time.monotonic(), deadline, f"the index {name} was not renamed")
            time.sleep(0.02)

    def test_a_large_index_reports_its_progress_and_cannot_be_read_before_it_is_ready(self):
        for start in range(0, 60_000, 10_000):
            rows = [{"id": n, "n": n % 7} for n in range(start, start + 10_000)]
            self.table.insert(rows, durability="soft").run(self.conn)
        self.table.index_create("n").run(self.conn)
        status = self.table.index_status("n").run(self.conn)[0]
        self.assertFalse(status["ready"])
        self.assertTrue(0 <= status["progress"] < 1)
        with self.assertRaisesRegex(errors.ReqlOpFailedError, "accessed before its construction was finished"):
            self.table.get_all(1, index="n").run(self.conn)
        # Writes go on in the meantime.
        self.table.get(5).update({"n": 100}).run(self.conn)
        ready = self.table.index_wait("n").run(self.conn)[0]
        self.assertTrue(ready["ready"])
        self.assertNotIn("progress", ready)
        self.assertEqual([row["id"] for row in self.table.get_all(100, index="n").run(self.conn)], [5])
        self.assertEqual(self.table.get_all(5, index="n").count().run(self.conn), 60_000 // 7 - 1)

    def test_a_filtered_feed_reports_a_document_that_leaves_as_removed(self):
        feed = self.table.filter({"shown": True}).changes().run(self.connect())
        self.table.insert([{"id": 1, "shown": True}, {"id": 2, "shown": False}]).run(self.conn)
        self.table.get(1).update({"shown": False}).run(self.conn)
        added, removed = self.follow(feed, 2)
        self.assertEqual(added["new_val"], {"id": 1, "shown": True})
        self.assertEqual(removed, {"old_val": {"id": 1, "shown": True}, "new_val": None})
        feed.close()

    def test_a_closed_feed_is_empty(self):
        feed = self.table.changes().run(self.conn)
        feed.close()
        self.table.insert({"id": 1}).run(self.conn)
        with self.assertRaises(errors.ReqlCursorEmpty):
            feed.next(wait=FEED_TIMEOUT)

    def test_dropping_the_table_ends_its_feeds(self):
        feed = self.table.changes().run(self.connect())
        r.db(self.db).table_drop("t").run(self.conn)
        with self.assertRaises(errors.ReqlOpFailedError):
            feed.next(wait=FEED_TIMEOUT)


class Errors(Driver):
    def test_a_missing_table(self):
        with self.assertRaisesRegex(errors.ReqlOpFailedError, "Table `.*nope` does not exist"):
            r.db(self.db).table("nope").count().run(self.conn)

    def test_a_missing_field(self):
        with self.assertRaises(errors.ReqlNonExistenceError):
            r.expr({"a": 1})["b"].run(self.conn)

    def test_a_type_error_shows_its_position(self):
        with self.assertRaises(errors.ReqlQueryLogicError) as caught:
            (r.expr(1) + "a").run(self.conn)
        self.assertIn("^", str(caught.exception))  # drawn by the driver from the backtrace

    def test_a_user_error(self):
        with self.assertRaisesRegex(errors.ReqlUserError, "raised on purpose"):
            r.error("raised on purpose").run(self.conn)

    def test_an_unknown_option_is_a_compile_error(self):
        with self.assertRaises(errors.ReqlCompileError):
            self.table.insert({}, nonsense=1).run(self.conn)

    def test_a_database_that_exists_already(self):
        with self.assertRaises(errors.ReqlOpFailedError):
            r.db_create(self.db).run(self.conn)

    def test_a_wrong_password_is_rejected(self):
        with self.assertRaises(errors.ReqlAuthError):
            r.connect(**{**reql.options(), "password": "wrong"})

    def test_an_unknown_user_is_rejected(self):
        with self.assertRaises(errors.ReqlAuthError):
            r.connect(**{**reql.options(), "user": "nobody"})

    def test_a_connection_survives_errors(self):
        for _ in range(10):
            with self.assertRaises(errors.ReqlRuntimeError):
                r.expr([])[0].run(self.conn)
        self.assertEqual(r.expr(1).run(self.conn), 1)

    def test_an_unimplemented_term_is_named(self):
        if not reql.is_embedded:
            return  # RethinkDB implements it
        with self.assertRaisesRegex(errors.ReqlError, "embedded engine .* `circle`"):
            r.circle([0, 0], 1).run(self.conn)


class Passwords(unittest.TestCase):
    PASSWORD = "password, with = signs"  # ASCII, because the driver mishandles anything else

    def test_only_the_right_password_is_accepted(self):
        locked = Reql(password=self.PASSWORD)
        self.addCleanup(locked.stop)
        conn = r.connect(**locked.options())
        self.assertEqual(r.expr(1).run(conn), 1)
        conn.close()
        for wrong in ("", "password", self.PASSWORD + " "):
            with self.subTest(wrong=wrong), self.assertRaises(errors.ReqlAuthError):
                r.connect(**{**locked.options(), "password": wrong})


if __name__ == "__main__":
    unittest.main()
