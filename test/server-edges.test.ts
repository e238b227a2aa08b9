// server.ts at its edges: who left and why, a log that nobody reads, names of the machine, and what a client
// that never reads costs.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import * as tls from "node:tls";
import {
  inScratch,
  linux,
  needs,
  run,
  runScript,
  startServer,
  startShell,
  uncounted,
  until,
} from "./helpers.ts";
import { development, ipv6, issue, openssl, pair, pem, refusesToStart } from "./peers.ts";

uncounted();

test("a client that leaves is said to distrust us only if it has sent something", async () => {
  const server = await startServer();
  const nothing = connect(+server.port, "127.0.0.1");
  nothing.end();
  await once(nothing.resume(), "close");
  await server.prints(/^Client left during the handshake: 127\.0\.0\.1:\d+: it had sent nothing$/m);
  const distrust = tls.connect({ port: +server.port, host: "127.0.0.1", servername: "localhost" });
  await assert.rejects(once(distrust, "secureConnect"));
  const line =
    /^Client left during the handshake: 127\.0\.0\.1:\d+: it may not trust this certificate$/m;
  await server.prints(line);
  await server.stop();
});

test(
  "SIGTERM ends it in time, also where nobody reads the log any more",
  needs("mkfifo"),
  async () => {
    const log = inScratch("log");
    await run("mkfifo", [log]);
    // The shell keeps the log open, so that writing to it doesn't fail, and reads nothing but the ready line.
    const program = `exec 3<>"$LOG"; "$@" > "$LOG" 2>&1 & echo $!; read -r line <&3; echo "$line"; wait $!; echo "status $?"`;
    const options = { env: { LOG: log } };
    const shell = startShell(program, "server", ["--port", "0", "--plain"], options);
    const [, pid, port] = await shell.prints(/^(\d+)\nServer started on .*:(\d+) \(/m);
    // Lines enough to fill the pipe, and all that may wait in between.
    for (let i = 0; i < 150; i++) {
      const client = connect(+port!, "127.0.0.1").end("x".repeat(1000));
      await once(client.resume(), "close");
    }
    const begin = performance.now();
    process.kill(+pid!, "SIGTERM");
    await shell.prints(/^status 0$/m);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(seconds < 15, `it took ${seconds} s`); // the contract says 5, and the machine may be busy
  },
);

test("the host: an address as the ready line prints it, and localhost as IPv4", ipv6, async () => {
  for (const [host, at] of [
    ["[::1]", "[::1]"],
    ["localhost", "127.0.0.1"],
  ] as const) {
    const server = await startServer(["--host", host]);
    assert.ok(server.stdout().startsWith(`Server started on ${at}:${server.port} (TLS)`));
    await server.stop();
  }
  const cases = ["localhost:5000", "https://localhost"].map((host) => ["--host", host]);
  await refusesToStart(
    cases.map((args) => [args, /--host takes a name or an address alone/]),
    { status: 2 },
  );
});

test(
  "a certificate of one's own that is too weak: the file, and what it needs",
  openssl,
  async () => {
    await issue("short", { key: "rsa:1024" });
    await refusesToStart([
      [pair("short"), /--cert \S*short\.crt can't be used: .*needs 2048 bits/],
    ]);
  },
);

test(
  "clients that send and never read: the server takes no more than a little of each",
  linux("/proc"),
  async () => {
    const server = await startServer(["--quiet"]);
    const status = () => readFileSync(`/proc/${server.child.pid}/status`, "utf8");
    const resident = () => Number(/VmRSS:\s+(\d+)/.exec(status())![1]) / 1024; // MiB
    const own = {
      port: +server.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: pem(development),
    };
    const before = resident();
    const count = 40;
    const sockets = Array.from({ length: count }, () =>
      tls
        .connect(own)
        .on("error", () => {})
        .pause(),
    );
    for (const socket of sockets) {
      await once(socket, "secureConnect");
      socket.write(Buffer.alloc(16 * 1024 * 1024));
    }
    const taken = () =>
      sockets.reduce(
        (sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength,
        0,
      );
    // The end of it: nothing more for as long as half a second.
    let [last, readings] = [-1, 0];
    const same = () => {
      readings = taken() === last ? readings + 1 : 0;
      last = taken();
      return readings;
    };
    await until("the end of what is taken", same, (readings) => readings >= 25);
    const each = (resident() - before) / count;
    assert.ok(each < 3, `${each} MiB each`); // the benchmark has the figure itself
    for (const socket of sockets) socket.destroy();
    await server.stop();
  },
);

const certificatesIn = (folder: string) => ({ env: { DEV_CERTS_DIR: folder } });
test("nothing that others have prepared is written to, or removed", openssl, async () => {
  // As in /tmp, where anybody may put anything: links under names that could be guessed, and other folders.
  const shared = inScratch("shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const mine = inScratch("mine");
  writeFileSync(mine, "mine");
  const others = join(shared, "x.draft-4000000");
  mkdirSync(others);
  writeFileSync(join(others, "text"), "theirs");
  const server = await startServer([], certificatesIn(join(shared, "x")));
  await server.stop();
  assert.equal(readFileSync(join(others, "text"), "utf8"), "theirs");
  assert.deepEqual(readdirSync(shared).sort(), ["x", "x.draft-4000000"]);
  assert.equal(lstatSync(join(shared, "x")).mode & 0o777, 0o700);
});

test(
  "a folder, or a certificate, that others may write is refused, by both ends",
  openssl,
  async () => {
    const folder = inScratch("writable");
    await startServer([], certificatesIn(folder)).then((server) => server.stop());
    for (const [path, mode] of [
      [folder, 0o777],
      [join(folder, "server.crt"), 0o666],
      [folder, 0o720],
    ] as const) {
      const { mode: before } = lstatSync(path);
      chmodSync(path, mode);
      for (const [name, args] of [
        ["server", ["--port", "0"]],
        ["tls-client", ["--port", "1"]],
      ] as const) {
        const { code, stderr } = await runScript(name, [...args], certificatesIn(folder));
        const line = new RegExp(
          `^${name}: .*: others may write ${path}; remove ${folder}, and a new one is made\\.[^\\n]*\\n$`,
        );
        assert.match(stderr, line);
        assert.doesNotMatch(stderr, /make clean/);
        assert.equal(code, 1);
      }
      chmodSync(path, before & 0o777);
    }
  },
);

test("a folder that can't be made is one line, at once", linux("/proc"), async () => {
  for (const folder of ["/proc/x", "/proc/x/y", "/dev/null/x"]) {
    const { code, stderr } = await runScript("server", ["--port", "0"], certificatesIn(folder));
    assert.match(stderr, /^server: no development certificate in [^\n]*\n$/);
    assert.equal(code, 1);
  }
});
