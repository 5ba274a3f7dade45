// @ts-check
// The ReQL server under test: the embedded engine in the real binary, or the RethinkDB at TEST_RETHINKDB_URL.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env.REALTIME_PHOTO_BIN ??
  fileURLToPath(new URL("../../target/debug/realtime-photo", import.meta.url));
const START_TIMEOUT_MS = 60_000;

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}

/** Waits until the server prints its address, which it does once it accepts connections. */
function addressPrinted(/** @type {import("node:child_process").ChildProcess} */ server) {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`the server printed no address:\n${output}`)), START_TIMEOUT_MS);
    const read = (/** @type {Buffer} */ chunk) => {
      output += chunk;
      if (/http:\/\/\S+\s/.test(output)) {
        clearTimeout(timer);
        resolve(undefined);
      }
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    server.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the server exited with ${code}:\n${output}`));
    });
  });
}

/** Starts the server unless TEST_RETHINKDB_URL is set. The returned `options` are for the driver's connect(). */
export async function startReql({ password = "" } = {}) {
  const given = process.env.TEST_RETHINKDB_URL;
  // A test with a password starts its own engine, because the password of the given RethinkDB is fixed.
  if (given && !password) {
    const url = new URL(given);
    const options = {
      host: url.hostname,
      port: Number(url.port || 28015),
      user: url.username || "admin",
      password: url.password,
    };
    return { options, stop: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "realtime-photo-"));
  const port = await freePort();
  const args = ["--listen", "127.0.0.1:0", "--data", folder, "--reql-listen", `127.0.0.1:${port}`];
  if (password) args.push("--reql-password", password);
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(REALTIME_PHOTO_|RETHINKDB_URL$|REQL_PASSWORD$)/.test(name)),
  );
  const server = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const ended = once(server, "exit");
  await addressPrinted(server);
  return {
    options: { host: "127.0.0.1", port, user: "admin", password },
    stop: async () => {
      server.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
