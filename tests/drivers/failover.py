"""Kills a node of a RethinkDB cluster under load. `scripts/failover.sh` starts it and documents the options."""

import argparse
import contextlib
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import uuid

from rethinkdb import r
from rethinkdb.errors import ReqlError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.images import png
from support.server import Server, free_port
from support.viewer import Viewer

DATABASE = "realtime_photo"
NODES = 3
LIMIT = 120  # seconds, for everything that must happen
WARM_UP = 5


def wait_for(condition, what):
    """Waits until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        with contextlib.suppress(ReqlError, OSError):
            if result := condition():
                return result
        time.sleep(0.1)
    raise SystemExit(f"failover: {what} within {LIMIT} s")


class Node:
    """A RethinkDB server in a folder of its own."""

    def __init__(self, number, folder, join=None):
        self.name = f"node{number}"
        self.port, self.cluster_port = free_port(), free_port()
        command = [os.environ["RETHINKDB"], "--directory", str(folder / self.name), "--server-name", self.name]
        command += ["--bind", "127.0.0.1", "--driver-port", str(self.port), "--cluster-port", str(self.cluster_port)]
        command += ["--no-http-admin", "--no-update-check", "--cache-size", "128"]
        if join is not None:
            command += ["--join", f"127.0.0.1:{join.cluster_port}"]
        with open(folder / f"{self.name}.log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def query(self, query):
        with r.connect(host="127.0.0.1", port=self.port, timeout=5) as connection:
            return query.run(connection)

    def kill(self):
        self.process.kill()
        self.process.wait()


def start_cluster(folder):
    nodes = [Node(1, folder)]
    servers = r.db("rethinkdb").table("server_status").count()
    wait_for(lambda: nodes[0].query(servers) == 1, "the first node does not start")
    nodes += [Node(number, folder, join=nodes[0]) for number in range(2, NODES + 1)]
    for node in nodes:
        wait_for(lambda node=node: node.query(servers) == NODES, f"{node.name} does not join")
    return nodes


def move_primaries(node, nodes):
    """Makes `node` the primary of all tables, so that its failure is as bad as one can be."""
    tables = r.db("rethinkdb").table("table_config").filter({"db": DATABASE})
    shard = {"primary_replica": node.name, "replicas": [each.name for each in nodes]}
    changed = node.query(tables.update({"shards": [shard]}))
    assert changed["errors"] == 0, changed
    node.query(r.db(DATABASE).wait())


def new_id():
    """A UUID of version 7. With an id of its own, an upload that is repeated is stored once."""
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62))


class Uploads:
    """Uploads small photos to a server, one after the other, each until it is acknowledged."""

    def __init__(self, server, ended):
        self._server, self._ended = server, ended
        self.acknowledged = {}  # SHA-256 by id
        self.times = []
        self.refused = 0
        self.failure = None
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self):
        while not self._ended.is_set():
            name = new_id()
            file = png(24, 24, seed=name)
            while not self._ended.is_set():
                try:
                    record = self._server.upload(file, name=name, id=name)
                except OSError as error:
                    # Of the errors of HTTP, only this one says that the database is unavailable.
                    if getattr(error, "code", 503) != 503:
                        self.failure = f"an upload was answered with {error.code}: {error.read().decode()}"
                        return
                    self.refused += 1
                    self._ended.wait(0.05)
                    continue
                self.times.append(time.monotonic())
                self.acknowledged[record["id"]] = hashlib.sha256(file).hexdigest()
                break


def longest_gap(times, start, end):
    """The longest time without an event between `start` and `end`."""
    inside = [start, *(moment for moment in sorted(times) if start <= moment <= end), end]
    return max(later - earlier for earlier, later in zip(inside, inside[1:]))


def lost(servers, acknowledged):
    """The acknowledged images that a server does not have byte for byte."""
    missing = set()
    for server in servers:
        for image, digest in acknowledged.items():
            try:
                if hashlib.sha256(server.get(f"/image/{image}")).hexdigest() != digest:
                    missing.add(image)
            except urllib.error.HTTPError:
                missing.add(image)
    return missing


def run(options, folder, cleanup):
    nodes = start_cluster(folder)
    for node in nodes:
        cleanup.callback(node.kill)
    url = "rethinkdb://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)

    def serve():
        server = Server("--rethinkdb", url, "--replicas", str(NODES))
        cleanup.callback(server.kill)
        return server

    servers = [serve() for _ in range(options.servers)]
    victim = nodes[0]  # The first address of the URL, so the servers are connected to it.
    move_primaries(victim, nodes)
    viewers = [Viewer(server.url) for server in servers for _ in range(options.viewers)]
    for viewer in viewers:
        cleanup.callback(viewer.stop)
        assert viewer.ready.wait(LIMIT), "a viewer is not ready"
    ended = threading.Event()
    cleanup.callback(ended.set)
    uploads = [Uploads(server, ended) for server in servers for _ in range(options.uploaders)]
    time.sleep(WARM_UP)

    before = sum(len(upload.times) for upload in uploads)
    if before == 0:
        raise SystemExit("failover: no upload was acknowledged before the kill")
    victim.kill()
    killed = time.monotonic()
    print(f"killed the primary of all tables after {before} uploads in {WARM_UP} s", flush=True)
    time.sleep(options.seconds)
    end = time.monotonic()
    ended.set()
    for upload in uploads:
        upload.thread.join()
        if upload.failure:
            raise SystemExit(f"failover: {upload.failure}")
    return report(options, servers, viewers, uploads, killed, end, serve)


def report(options, servers, viewers, uploads, killed, end, serve):
    gap = longest_gap([moment for upload in uploads for moment in upload.times], killed, end)
    gaps = [longest_gap(viewer.arrivals, killed, end) for viewer in viewers]
    refused = sum(upload.refused for upload in uploads)
    print(f"no upload was acknowledged for at most {gap:.1f} s; {refused} attempts failed and were repeated")
    interrupted = sum(viewer.interruptions > 0 for viewer in viewers)
    reconnects = sum(viewer.reconnects for viewer in viewers)
    print(f"no change reached a viewer for at most {min(gaps):.1f} to {max(gaps):.1f} s; {interrupted} of {len(viewers)} had a new "
          f"changefeed, {reconnects} sockets ended")
    acknowledged = {image: digest for upload in uploads for image, digest in upload.acknowledged.items()}
    started = time.monotonic()
    servers = [*servers, serve()]
    print(f"a server started without the node in {time.monotonic() - started:.1f} s")
    missing = lost(servers, acknowledged)
    print(f"lost of {len(acknowledged)} acknowledged uploads: {len(missing)}")
    wait_for(lambda: all(acknowledged.keys() <= viewer.images for viewer in viewers), "a viewer lacks an image")
    print("every viewer shows every acknowledged photo")
    is_back = gap < options.seconds / 2 and max(gaps) < options.seconds / 2
    if not is_back:
        print("not all was back before half of the time", file=sys.stderr)
    return 0 if is_back and not missing else 1


def main():
    parser = argparse.ArgumentParser()
    for option, default in (("servers", 2), ("viewers", 10), ("uploaders", 2), ("seconds", 30)):
        parser.add_argument(f"--{option}", type=int, default=default)
    with tempfile.TemporaryDirectory(prefix="failover-") as folder, contextlib.ExitStack() as cleanup:
        return run(parser.parse_args(), pathlib.Path(folder), cleanup)


if __name__ == "__main__":
    sys.exit(main())
