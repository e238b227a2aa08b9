// tls-client.ts: a message, and the answer of whatever server people have; and streams.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { before, test } from "node:test";
import {
  ENV,
  inScratch,
  needs,
  root,
  run,
  runEach,
  runScript,
  runShell,
  script,
  start,
  startScript,
  startServer,
  uncounted,
  type Program,
  type Server,
} from "./helpers.ts";
import { clients, development, onSomePort, opensslServer, pair, tlsServer } from "./peers.ts";

uncounted();

let server: Server; // it makes the development certificates
before(async () => (server = await startServer()));

test("a message and its answer, in any alphabet, of any length, which does not drive the terminal", async () => {
  const long = ` leading space${"x".repeat(100_000)}`;
  const cases: [string, string][] = [
    ["안녕, 서버!", "안녕, 서버!"],
    [long, long],
    ["\u001b]0;title\u0007\nforged line\r", "\\u001b]0;title\\u0007\nforged line\\r"],
  ];
  const results = await runEach(
    "tls-client",
    cases.map(([message]) => ["--port", server.port, message]),
  );
  for (const [i, { code, stdout }] of results.entries()) {
    assert.equal(stdout, `Response from server: ${cases[i]![1]}\n`);
    assert.equal(code, 0);
  }
});

// Servers that people have, with the development certificate. s_server sends lines back reversed.
const [cert, key] = [inScratch(`${development}.crt`), inScratch(`${development}.key`)];
const sServer = (...args: string[]) => opensslServer(development, ["-rev", ...args]);
/** One that chooses its port itself, and prints it. */
async function printing(command: string, args: string[], port: RegExp) {
  const peer = start(command, args);
  return { ...peer, port: (await peer.prints(port))[1]! };
}

const peers: [string, string, () => Promise<Program & { port: string }>][] = [
  [
    "Python's ssl",
    "python3",
    () => {
      const args = [join(root, "test/echo.py"), "threads", cert, key];
      return printing("python3", args, /^listening on .*:(\d+)$/m);
    },
  ],
  ["openssl s_server, TLS 1.3", "openssl", () => sServer("-tls1_3")],
  ["openssl s_server, TLS 1.2", "openssl", () => sServer("-tls1_2")],
  [
    "openssl s_server, which verifies us",
    "openssl",
    () => sServer("-Verify", "1", "-verify_return_error", "-CAfile", inScratch(`${clients}.crt`)),
  ],
  [
    "gnutls-serv",
    "gnutls-serv",
    () => {
      const files = [`--x509certfile=${cert}`, `--x509keyfile=${key}`];
      return onSomePort("gnutls-serv", (port) => ["--echo", "-p", port, ...files], /\.\.\.done/);
    },
  ],
  [
    "socat",
    "socat",
    () => {
      const listen = `OPENSSL-LISTEN:0,bind=127.0.0.1,cert=${cert},key=${key},verify=0`;
      return printing("socat", ["-d", "-d", listen, "EXEC:cat"], /listening on .*:(\d+)$/m);
    },
  ],
];
for (const [name, command, startPeer] of peers)
  test(`peer: ${name}`, needs(command), async () => {
    const peer = await startPeer();
    const args = ["--port", peer.port, ...pair(clients), "12321\n"];
    const { code, stdout, stderr } = await runScript("tls-client", args);
    assert.match(stdout, /^Response from server: 12321\n+$/, stderr);
    assert.match(stderr, name.includes("1.2") ? /^TLSv1\.2, TLS_ECDHE/ : /^TLSv1\.3, /);
    assert.equal(code, 0);
    peer.child.kill();
  });

test("streaming: what goes through the server and back has the same digest", async () => {
  const file = inScratch("large");
  const bytes = randomBytes(16 * 1024 * 1024);
  writeFileSync(file, bytes);
  const direct = await runScript("hash", ["--file", file]);
  const echoed = inScratch("echoed");
  for (const command of [
    `"$@" - < ${file} > ${echoed}`,
    `cat ${file} | "$@" - | cat > ${echoed}`,
  ]) {
    const { code, stderr } = await runShell(command, "tls-client", ["--port", server.port]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^TLSv1\.3[^\n]*\n$/);
    const { stdout } = await runScript("hash", ["--file", echoed]);
    assert.equal(stdout.slice(0, 64), direct.stdout.slice(0, 64));
  }
});

test("streaming: raw bytes, answered before the input ends", async () => {
  const client = startScript("tls-client", ["--port", server.port, "-"]);
  const bytes = Buffer.from([0, 27, 255, 254, 10, 237, 160, 128]);
  client.child.stdin!.write(bytes);
  await once(client.child.stdout!, "data");
  assert.deepEqual(client.bytes(), bytes);
  client.child.stdin!.end();
  assert.equal(await client.exit, 0);
});

test("streaming: an input that pauses for longer than --timeout is no slow server", async () => {
  const client = startScript("tls-client", ["--port", server.port, "--timeout", "2", "-"]);
  await client.prints(/Verified/);
  await setTimeout(2500); // the pause is the subject
  client.child.stdin!.end("still here");
  assert.equal(await client.exit, 0, client.stderr());
  assert.equal(client.stdout(), "still here");
});

test("streaming: an answer larger than what was sent", async () => {
  const peer = await tlsServer([development], (socket) =>
    socket.end(Buffer.alloc(20_000_000, "x")),
  );
  const client = await runScript("tls-client", ["--port", peer.port, "-"], { input: "small" });
  assert.equal(client.code, 0, client.stderr);
  assert.equal(client.bytes.length, 20_000_000);
});

test("streaming: an input that is not at its end, to a server that is", async () => {
  const peer = await tlsServer([development], (socket) => {
    socket.once("data", () => socket.end("enough"));
  });
  const client = startScript("tls-client", ["--port", peer.port, "-"]);
  client.child.stdin!.write("first of many\n");
  const line = /^tls-client: the server ended before the input did$/m;
  assert.equal(await client.exit, 1);
  assert.equal(client.stdout(), "enough");
  assert.match(client.stderr(), line);
  const program = `"$@" - < "${process.execPath}"`; // a large file
  const { code, stdout, stderr } = await runShell(program, "tls-client", ["--port", peer.port]);
  assert.deepEqual([code, stdout], [1, "enough"]);
  assert.match(stderr, line);
});

test("an answer arrives whole, however slow its reader is", async () => {
  const size = 3_000_000; // more than any buffer between two processes holds
  let sent = () => {};
  const answer = Buffer.alloc(size, "x");
  const peer = await tlsServer([development], (socket) => socket.end(answer, () => sent()));
  for (const message of ["-", "a message"]) {
    const allSent = new Promise<void>((resolve) => (sent = resolve));
    const client = startScript("tls-client", ["--port", peer.port, message]);
    client.child.stdout!.pause();
    client.child.stdin!.end();
    await once(client.child.stderr!, "data");
    await allSent;
    client.child.stdout!.resume();
    assert.equal(await client.exit, 0, client.stderr());
    assert.equal(client.bytes().filter((byte) => byte === 120).length, size);
  }
});

test(
  "with Bun too, which ends while output waits unless one waits for it",
  needs("bun"),
  async () => {
    const size = 3_000_000;
    const peer = await tlsServer([development], (socket) => socket.end(Buffer.alloc(size, "x")));
    for (const message of ["-", "a message"]) {
      const client = `bun ${script("tls-client")} --port ${peer.port} '${message}' && echo success >&2`;
      const line = `{ ${client}; } | { sleep 0.5; tr -dc x | wc -c; }`; // the slow reader is the subject
      const { stdout, stderr } = await run("sh", ["-c", line], { env: ENV });
      assert.match(stderr, /^success$/m);
      assert.equal(Number(stdout), size);
    }
  },
);

test("streaming: output that is closed early ends the client quietly", async () => {
  const command = `"$@" < /dev/zero 2> ${inScratch("quiet")} | head -c 10 | wc -c`;
  const { code, stdout } = await runShell(command, "tls-client", ["--port", server.port, "-"]);
  assert.equal(stdout.trim(), "10");
  assert.equal(code, 0);
  assert.match(readFileSync(inScratch("quiet"), "utf8"), /^TLSv1\.3, [^\n]*\n$/);
});
