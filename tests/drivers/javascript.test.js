// @ts-check
// The official JavaScript driver against the embedded engine, or against the RethinkDB at TEST_RETHINKDB_URL.
// Run: npm ci && node --test

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import r from "rethinkdb";
import { startReql } from "./server.js";

const FEED_TIMEOUT_MS = 60_000; // for an element of a feed

let reql;
let conn;
let db;
let table;
const connections = [];

before(async () => {
  reql = await startReql();
});

after(async () => {
  await reql.stop();
});

beforeEach(async () => {
  conn = await connect();
  db = `test_${randomUUID().replaceAll("-", "")}`;
  await r.dbCreate(db).run(conn);
  await r.db(db).tableCreate("t").run(conn);
  table = r.db(db).table("t");
  await table.wait().run(conn);
});

afterEach(async () => {
  const last = await connect();
  await r.dbDrop(db).run(last);
  await Promise.all(connections.splice(0).map((each) => each.close({ noreplyWait: false })));
});

async function connect() {
  const opened = await r.connect(reql.options);
  connections.push(opened);
  return opened;
}

/** Fails if the promise takes longer than FEED_TIMEOUT_MS. */
function withTimeout(promise, name) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out: ${name}`)), FEED_TIMEOUT_MS);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

/** The next elements of a feed. */
async function follow(feed, count) {
  const items = [];
  for (let n = 0; n < count; n += 1) items.push(await withTimeout(feed.next(), `item ${n + 1} of ${count}`));
  return items;
}

/** Asserts that a query fails with an error of this name, and optionally with this message. */
async function rejectsWith(promise, name, text = /./) {
  await assert.rejects(Promise.resolve(promise), (error) => {
    assert.equal(error.name, name, error.message);
    assert.match(error.msg ?? error.message, text);
    return true;
  });
}

/** The outcome of connecting with these options; see connect-once.js. */
async function outcomeOfConnecting(options) {
  const script = fileURLToPath(new URL("connect-once.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--no-deprecation",
    script,
    JSON.stringify(options),
  ]);
  return stdout.trim();
}

describe("connections", () => {
  it("server info has an id", async () => {
    const server = await conn.server();
    assert.match(server.id, /^[0-9a-f-]{36}$/);
    assert.equal(server.proxy, false);
  });

  it("a reconnected connection is usable", async () => {
    conn.use(db);
    await r.table("t").insert({ id: 1 }).run(conn);
    const again = await conn.reconnect({ noreplyWait: false });
    assert.deepEqual(await table.get(1).run(again), { id: 1 });
  });

  it("noreplyWait returns after all noreply writes", async () => {
    for (let id = 0; id < 100; id += 1) table.insert({ id }).run(conn, { noreply: true });
    await conn.noreplyWait();
    assert.equal(await table.count().run(await connect()), 100);
  });

  it("concurrent queries on one connection are all answered", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => r.expr(n).add(1).run(conn)));
    assert.deepEqual(
      answers,
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
  });
});

describe("documents", () => {
  it("a document round-trips", async () => {
    const document = {
      id: "one",
      text: 'ünïcödé 写真 📷 \u0001 "quoted" back\\slash',
      numbers: [0, -1, 1.5, 1e300, 2 ** 53],
      nothing: null,
      yes: true,
      nested: { a: [{ b: [] }, {}] },
    };
    const result = await table.insert(document).run(conn);
    assert.equal(result.inserted, 1);
    assert.deepEqual(await table.get("one").run(conn), document);
  });

  it("binaries of all lengths round-trip", async () => {
    for (const size of [0, 1, 2, 3, 56, 57, 58, 1000, 100_000]) {
      const file = Buffer.from(Array.from({ length: size }, (_, n) => (n * 7) % 256));
      await table.insert({ id: size, file }).run(conn);
      const found = await table.get(size)("file").run(conn);
      assert.ok(Buffer.isBuffer(found));
      assert.ok(found.equals(file), `${size} bytes`);
    }
  });

  it("an image of ten mebibytes round-trips", async () => {
    const image = Buffer.alloc(10 * 1024 * 1024, Buffer.from(Array.from({ length: 256 }, (_, n) => n)));
    await table.insert({ id: 1, file: r.binary(image) }).run(conn);
    const found = await table.get(1)("file").run(conn);
    assert.ok(found.equals(image));
  });

  it("times round-trip with milliseconds", async () => {
    const at = new Date("2025-01-31T12:00:00.123Z");
    await table.insert({ id: 1, at }).run(conn);
    const found = await table.get(1)("at").run(conn);
    assert.ok(found instanceof Date);
    assert.equal(found.getTime(), at.getTime());
    assert.equal(await table.get(1)("at").toISO8601().run(conn), "2025-01-31T12:00:00.123+00:00");
  });

  it("update, replace and delete", async () => {
    await table.insert(Array.from({ length: 5 }, (_, id) => ({ id, n: id }))).run(conn);
    assert.equal((await table.get(1).update({ n: 10 }).run(conn)).replaced, 1);
    assert.equal((await table.get(1).update({ n: 10 }).run(conn)).unchanged, 1);
    await table.get(2).update((row) => ({ n: row("n").add(40) })).run(conn);
    assert.deepEqual(await table.get(2).run(conn), { id: 2, n: 42 });
    await table.get(3).replace({ id: 3, fresh: "x" }).run(conn);
    assert.deepEqual(await table.get(3).run(conn), { id: 3, fresh: "x" });
    const deleted = await table.get(4).delete({ returnChanges: true }).run(conn);
    assert.deepEqual(deleted.changes, [{ old_val: { id: 4, n: 4 }, new_val: null }]);
    assert.equal(await table.get(4).run(conn), null);
    assert.equal((await table.filter(r.row("n").gt(9)).delete().run(conn)).deleted, 2);
    assert.equal(await table.count().run(conn), 2);
  });

  it("insert honours the conflict option", async () => {
    await table.insert({ id: 1, a: 1 }).run(conn);
    const rejected = await table.insert({ id: 1, b: 2 }).run(conn);
    assert.equal(rejected.errors, 1);
    assert.match(rejected.first_error, /Duplicate primary key/);
    await table.insert({ id: 1, b: 2 }, { conflict: "update" }).run(conn);
    assert.deepEqual(await table.get(1).run(conn), { id: 1, a: 1, b: 2 });
    await table.insert({ id: 1, c: 3 }, { conflict: "replace" }).run(conn);
    assert.deepEqual(await table.get(1).run(conn), { id: 1, c: 3 });
  });
});

describe("cursors", () => {
  const COUNT = 5000;

  it("a long table is streamed completely and in order", async () => {
    const documents = Array.from({ length: COUNT }, (_, id) => ({ id, text: "x".repeat(200) }));
    for (let start = 0; start < COUNT; start += 1000) {
      await table.insert(documents.slice(start, start + 1000)).run(conn);
    }
    const ordered = await table.orderBy({ index: "id" })("id").run(conn);
    const ids = await ordered.toArray();
    assert.deepEqual(
      ids,
      documents.map(({ id }) => id),
    );
    let seen = 0;
    const plain = await table.pluck("id").run(conn);
    await plain.eachAsync(async () => {
      seen += 1;
    });
    assert.equal(seen, COUNT);
  });

  it("closing a cursor early leaves the connection usable", async () => {
    await table.insert(Array.from({ length: 2000 }, (_, id) => ({ id, text: "x".repeat(1000) }))).run(conn);
    const cursor = await table.run(conn);
    await cursor.next();
    await cursor.close();
    assert.equal(await table.count().run(conn), 2000);
  });
});

describe("feeds", () => {
  it("insert, update and delete arrive in order", async () => {
    const feed = await table.changes().run(await connect());
    await table.insert({ id: 1, n: 0, file: Buffer.from([0, 255]) }).run(conn);
    await table.get(1).update({ n: 1 }).run(conn);
    await table.get(1).delete().run(conn);
    const [inserted, updated, deleted] = await follow(feed, 3);
    assert.equal(inserted.old_val, null);
    assert.ok(inserted.new_val.file.equals(Buffer.from([0, 255])));
    assert.deepEqual([updated.old_val.n, updated.new_val.n], [0, 1]);
    assert.equal(deleted.new_val, null);
    await feed.close();
  });

  it("initial values come between the states", async () => {
    await table.insert([0, 1, 2].map((id) => ({ id, file: Buffer.from("x") }))).run(conn);
    const feed = await table
      .without("file")
      .changes({ includeInitial: true, includeStates: true, includeTypes: true })
      .run(await connect());
    const [first, ...rest] = await follow(feed, 5);
    const ready = rest.pop();
    assert.deepEqual(first, { state: "initializing", type: "state" });
    assert.deepEqual(ready, { state: "ready", type: "state" });
    rest.sort((a, b) => a.new_val.id - b.new_val.id);
    assert.deepEqual(
      rest,
      [0, 1, 2].map((id) => ({ new_val: { id }, type: "initial" })),
    );
    await table.get(0).update({ file: Buffer.from("y") }).run(conn);
    await table.get(1).update({ n: 1 }).run(conn);
    assert.deepEqual(await follow(feed, 1), [
      { old_val: { id: 1 }, new_val: { id: 1, n: 1 }, type: "change" },
    ]);
    await feed.close();
  });

  it("each() calls back for every change until the feed is closed", async () => {
    const followed = await connect();
    const feed = await table.changes().run(followed);
    const seen = [];
    const three = new Promise((resolve, reject) => {
      feed.each((error, change) => {
        if (error) return reject(error);
        seen.push(change.new_val.id);
        return seen.length === 3 ? resolve(undefined) : undefined;
      });
    });
    for (const id of [1, 2, 3]) await table.insert({ id }).run(conn);
    await withTimeout(three, "three changes");
    assert.deepEqual(seen, [1, 2, 3]);
    await feed.close();
    // The second feed on the same connection has received the change, so the first one would have received it, too.
    const second = await table.changes().run(followed);
    await table.insert({ id: 4 }).run(conn);
    assert.deepEqual(await follow(second, 1), [{ old_val: null, new_val: { id: 4 } }]);
    assert.deepEqual(seen, [1, 2, 3]);
    await second.close();
  });

  it("a feed and queries share a connection", async () => {
    const feed = await table.changes({ includeStates: true }).run(conn);
    assert.deepEqual(await follow(feed, 1), [{ state: "ready" }]);
    await table.insert({ id: 1 }).run(conn);
    assert.deepEqual(await follow(feed, 1), [{ old_val: null, new_val: { id: 1 } }]);
    await feed.close();
    assert.equal(await table.count().run(conn), 1);
  });

  it("a point feed follows one document", async () => {
    const feed = await table.get("a").changes({ includeInitial: true }).run(await connect());
    assert.deepEqual(await follow(feed, 1), [{ new_val: null }]);
    await table.insert([{ id: "b" }, { id: "a" }]).run(conn);
    assert.deepEqual(await follow(feed, 1), [{ old_val: null, new_val: { id: "a" } }]);
    await feed.close();
  });

  it("dropping the table ends its feeds", async () => {
    const feed = await table.changes().run(await connect());
    await r.db(db).tableDrop("t").run(conn);
    await rejectsWith(withTimeout(feed.next(), "the end"), "ReqlOpFailedError");
  });
});

describe("errors", () => {
  it("a missing table", async () => {
    await rejectsWith(r.db(db).table("nope").count().run(conn), "ReqlOpFailedError", /nope` does not exist/);
  });

  it("a missing field", async () => {
    await rejectsWith(r.expr({ a: 1 })("b").run(conn), "ReqlNonExistenceError");
  });

  it("a wrong type", async () => {
    await rejectsWith(r.expr(1).add("a").run(conn), "ReqlQueryLogicError");
  });

  it("a user error", async () => {
    await rejectsWith(r.error("raised on purpose").run(conn), "ReqlUserError", /raised on purpose/);
  });

  it("an unknown option is a compile error", async () => {
    await rejectsWith(table.insert({}, { nonsense: 1 }).run(conn), "ReqlServerCompileError");
  });

  it("a wrong password is rejected", async () => {
    assert.equal(await outcomeOfConnecting({ ...reql.options, password: "wrong" }), "ReqlAuthError");
  });

  it("a connection survives errors", async () => {
    for (let n = 0; n < 10; n += 1) await rejectsWith(r.expr([])(0).run(conn), "ReqlNonExistenceError");
    assert.equal(await r.expr(1).run(conn), 1);
  });
});

describe("passwords", () => {
  it("only the right password is accepted", async () => {
    const password = "pässword, with = signs";
    const locked = await startReql({ password });
    try {
      assert.equal(await outcomeOfConnecting(locked.options), "connected");
      for (const wrong of ["", "password", `${password} `]) {
        assert.equal(await outcomeOfConnecting({ ...locked.options, password: wrong }), "ReqlAuthError");
      }
    } finally {
      await locked.stop();
    }
  });
});
