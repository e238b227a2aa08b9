import assert from "node:assert/strict";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  run,
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

test("an address as the host is checked as an address", async () => {
  const { code } = await runScript("tls-client", ["--port", server.port, "--host", "127.0.0.1"]);
  assert.equal(code, 0);
});

test("a name that the certificate is not for is refused, and the names are given", async () => {
  const line =
    /is not for example\.com, but for: DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\. See --servername$/m;
  await refuses([[["--port", server.port, "--servername", "example.com"], 1, line]]);
});

test("without the development certificate, a server on this machine is not trusted", async () => {
  mkdirSync(inScratch("empty"));
  const env = { DEV_CERTS_DIR: inScratch("empty") };
  const { code, stderr } = await runScript("tls-client", ["--port", server.port], { env });
  assert.equal(code, 1);
  assert.match(stderr, /is self-signed, and not trusted here\. To trust it, use --ca/);
});

test("a development certificate that can't be read is an error, not another trust", async () => {
  mkdirSync(inScratch("broken"));
  writeFileSync(inScratch("broken/server.crt"), "nonsense");
  const env = { DEV_CERTS_DIR: inScratch("broken") };
  const { code, stderr } = await runScript("tls-client", ["--port", server.port], { env });
  assert.match(stderr, /^tls-client: development certificate .*server\.crt holds no certificate/);
  assert.equal(code, 1);
});

test("mutual TLS with the development client certificate", async () => {
  const strict = await startServer(["--client-ca", `${certs}/client.crt`]);
  const own = ["--cert", `${certs}/client.crt`, "--key", `${certs}/client.key`];
  const { code, stdout } = await runScript("tls-client", ["--port", strict.port, ...own]);
  assert.equal(stdout, "Response from server: Hello, server!\n");
  assert.equal(code, 0);
  const without = await runScript("tls-client", ["--port", strict.port]);
  assert.match(without.stderr, /it may want a client certificate\. Use --cert and --key$/m);
  assert.equal(without.code, 1);
  await strict.stop();
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

test("--inspect shows what openssl shows, and ends with a verdict", needs("openssl"), async () => {
  const args = ["--port", server.port, "--inspect"];
  const { code, stdout, stderr } = await runScript("tls-client", args);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /^Trusted: localhost, until \d{4}-\d\d-\d\d\.$/m);
  assert.doesNotMatch(stdout, /Certificate 1/); // it is self-signed
  const shown = (label: string) => new RegExp(`^ *${label}: *(.*)$`, "m").exec(stdout)![1]!;

  const connect = ["s_client", "-connect", `127.0.0.1:${server.port}`, "-showcerts"];
  const handshake = (await run("openssl", connect)).stdout;
  const [, protocol, cipher] = /^New, (\S+), Cipher is (\S+)$/m.exec(handshake)!;
  const [, group, bits] = /^Server Temp Key: (\w+), (\d+) bits$/m.exec(handshake)!;
  assert.equal(shown("Protocol"), protocol);
  assert.equal(shown("Cipher"), cipher);
  // From OpenSSL 3.5 on, a runtime agrees with itself on a post-quantum group, which this `openssl` may
  // not have, and of which Node 22 does not tell the name.
  const exchange = shown("Key exchange");
  if (parseFloat(process.versions.openssl) < 3.5) assert.equal(exchange, `${group}, ${bits} bits`);
  else assert.match(exchange, /^(X25519MLKEM768|-)$/);
  const x509 = ["-noout", "-subject", "-issuer", "-dates", "-fingerprint", "-sha256", "-text"];
  const input = handshake.match(/-----BEGIN[^]*?END CERTIFICATE-----\n/)![0];
  const fields = (await run("openssl", ["x509", ...x509], { input })).stdout;
  const field = (pattern: RegExp) => pattern.exec(fields)![1]!.trim();
  assert.equal(shown("Subject"), field(/^subject=(.*)$/m).replaceAll(" = ", "="));
  assert.equal(shown("Issuer"), field(/^issuer=(.*)$/m).replaceAll(" = ", "="));
  assert.equal(shown("Names"), field(/Subject Alternative Name:\s*(.*)/));
  assert.equal(shown("Valid from"), field(/^notBefore=(.*)$/m));
  assert.equal(shown("Valid until"), field(/^notAfter=(.*)$/m));
  assert.equal(shown("SHA-256"), field(/^sha256 Fingerprint=(.*)$/im));
  assert.equal(shown("Key"), `EC, ${field(/ASN1 OID: (\w+)/)}`);
});

test("--inspect shows what is refused, says why, and sends nothing", async () => {
  let received = 0;
  const peer = await answering((socket) =>
    socket.on("data", () => received++).on("end", () => socket.end()),
  );
  const args = ["--port", peer.port, "--inspect", "--servername", "other.example"];
  const { code, stdout } = await runScript("tls-client", args);
  assert.match(stdout, /^ *Names: .*localhost/m);
  assert.match(stdout, /^Refused: the certificate of .* is not for other\.example, but for: DNS/m);
  assert.equal(code, 1);
  assert.equal(received, 0);
});

test("a wrong command line or file is one line", async () => {
  writeFileSync(inScratch("nonsense"), "nonsense");
  const wrong: [string[], number, RegExp][] = [
    [["--port", "0"], 2, /--port must be a whole number from 1 to 65535, not "0"/],
    [["--timeout", "0"], 2, /--timeout must be a number of seconds greater than 0, not "0"/],
    [["--timeout", "soon"], 2, /--timeout must be a number/],
    [["--half-close", "0"], 2, /--half-close must be a number of seconds greater than 0/],
    [["--half-close", "soon"], 2, /--half-close must be a number/],
    [["--cert", "x"], 2, /--cert and --key go together/],
    [["--inspect", "text"], 2, /--inspect sends no message/],
    [["one", "two"], 2, /more than one message; quote it: "one two"/],
    [["--insecure"], 2, /unknown option --insecure/],
    [["--ca", inScratch("nonsense")], 1, /--ca .*nonsense holds no certificate/],
  ];
  await refuses(wrong);
});

async function refuses(cases: [string[], number, RegExp][]): Promise<void> {
  const results = await runEach(
    "tls-client",
    cases.map(([args]) => args),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [, status, line] = cases[i]!;
    assert.match(stderr, line);
    assert.match(stderr, /^tls-client: [^\n]*\n$/);
    assert.deepEqual([stdout, code], ["", status], stderr);
  }
}
