// tls-client.ts: a message, and the answer of whatever server people have; and streams.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import * as tls from "node:tls";
import {
  certs,
  freePort,
  inScratch,
  needs,
  root,
  runEach,
  runScript,
  runShell,
  start,
  startScript,
  startServer,
} from "./helpers.ts";

let server: Awaited<ReturnType<typeof startServer>>;
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

const pair = () => ["-cert", `${certs}/server.crt`, "-key", `${certs}/server.key`];
const peers: [string, string, (port: string) => string[], string?][] = [
  [
    "Python's ssl",
    "python3",
    () => [join(root, "test/echo.py"), "threads", ...pair().filter((_, i) => i % 2)],
  ],
  [
    "openssl s_server, TLS 1.3",
    "openssl",
    (port) => ["s_server", "-rev", "-accept", `127.0.0.1:${port}`, "-tls1_3", ...pair()],
  ],
  [
    "openssl s_server, TLS 1.2",
    "openssl",
    (port) => ["s_server", "-rev", "-accept", `127.0.0.1:${port}`, "-tls1_2", ...pair()],
  ],
  [
    "openssl s_server, which verifies us",
    "openssl",
    (port) => [
      ...["s_server", "-rev", "-accept", `127.0.0.1:${port}`, "-Verify", "1", ...pair()],
      ...["-verify_return_error", "-CAfile", `${certs}/client.crt`],
    ],
  ],
  [
    "gnutls-serv",
    "gnutls-serv",
    (port) => [
      ...["--echo", "--quiet", "-p", port, `--x509certfile=${certs}/server.crt`],
      `--x509keyfile=${certs}/server.key`,
    ],
  ],
  [
    "socat",
    "socat",
    (port) => [
      `OPENSSL-LISTEN:${port},bind=127.0.0.1,cert=${certs}/server.crt,key=${certs}/server.key,verify=0`,
      "EXEC:cat",
    ],
  ],
];
for (const [name, command, args] of peers)
  test(`peer: ${name}`, needs(command), async () => {
    let port = await freePort();
    const peer = start(command, args(port), { timeout: 30_000 });
    if (command === "python3") port = (await peer.prints(/^listening on .*:(\d+)$/m))[1]!;
    const own = ["--cert", `${certs}/client.crt`, "--key", `${certs}/client.key`];
    // Not all of them say that they listen: then the client is what tells.
    for (;;) {
      const message = "12321\n"; // openssl sends lines back reversed
      const { code, stdout, stderr } = await runScript("tls-client", [
        "--port",
        port,
        ...own,
        message,
      ]);
      if (/nothing listens/.test(stderr)) continue;
      assert.match(stdout, /^Response from server: 12321\n+$/, stderr);
      assert.match(stderr, name.includes("1.2") ? /^TLSv1\.2, TLS_ECDHE/ : /^TLSv1\.3, /);
      assert.equal(code, 0);
      break;
    }
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
  const client = startScript("tls-client", ["--port", server.port, "--timeout", "0.3", "-"]);
  await client.prints(/Verified/);
  await new Promise((resolve) => setTimeout(resolve, 1000)); // the pause is the subject
  client.child.stdin!.end("still here");
  assert.equal(await client.exit, 0, client.stderr());
  assert.equal(client.stdout(), "still here");
});

/** A TLS server with the development certificate, for one kind of answer. */
async function answering(serve: (socket: tls.TLSSocket) => void) {
  const [cert, key] = ["crt", "key"].map((type) => readFileSync(`${certs}/server.${type}`));
  const peer = tls.createServer({ cert, key, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}).on("finish", () => peer.emit("sent"));
    serve(socket);
  });
  await once(peer.listen(0, "127.0.0.1").unref(), "listening");
  return { port: String((peer.address() as AddressInfo).port), server: peer };
}

test("streaming: an answer larger than what was sent", async () => {
  const peer = await answering((socket) => socket.resume().end(Buffer.alloc(20_000_000, "x")));
  const client = await runScript("tls-client", ["--port", peer.port, "-"], { input: "small" });
  assert.equal(client.code, 0, client.stderr);
  assert.equal(client.bytes.length, 20_000_000);
});

test("streaming: an input that never ends, to a server that does", async () => {
  const peer = await answering((socket) =>
    socket.once("data", () => socket.resume().end("enough")),
  );
  const client = startScript("tls-client", ["--port", peer.port, "-"]);
  client.child.stdin!.write("first of many\n");
  assert.equal(await client.exit, 1);
  assert.equal(client.stdout(), "enough");
  assert.match(client.stderr(), /^tls-client: the server ended before the input did$/m);
});

test("an answer arrives whole, however slow its reader is", async () => {
  const size = 3_000_000; // more than any buffer between two processes holds
  const peer = await answering((socket) => socket.resume().end(Buffer.alloc(size, "x")));
  for (const message of ["-", "a message"]) {
    const client = startScript("tls-client", ["--port", peer.port, message]);
    client.child.stdout!.pause();
    client.child.stdin!.end();
    await once(client.child.stderr!, "data");
    await once(peer.server, "sent");
    client.child.stdout!.resume();
    assert.equal(await client.exit, 0, client.stderr());
    assert.equal(client.bytes().filter((byte) => byte === 120).length, size);
  }
});

test("streaming: output that is closed early ends the client quietly", async () => {
  const command = `"$@" < /dev/zero 2> ${inScratch("quiet")} | head -c 10 | wc -c`;
  const { code, stdout } = await runShell(command, "tls-client", ["--port", server.port, "-"]);
  assert.equal(stdout.trim(), "10");
  assert.equal(code, 0);
  assert.match(readFileSync(inScratch("quiet"), "utf8"), /^TLSv1\.3, [^\n]*\n$/);
});
