import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import {
  certs,
  inScratch,
  needs,
  run,
  runEach,
  runScript,
  start,
  startServer,
  startScript,
} from "./helpers.ts";

test("server and client print the document's four lines", async () => {
  const server = await startServer();
  const client = await runScript("tls-client", ["--port", server.port]);
  assert.equal(client.stdout, "Response from server: Hello, server!\n");
  assert.match(
    client.stderr,
    /^TLSv1\.3, TLS_\w+\. Verified: localhost, until \d{4}-\d\d-\d\d\.\n$/,
  );
  assert.equal(client.code, 0);
  await server.prints(/disconnected/);
  assert.equal(await server.stop(), 0);
  const [ready, connected, received, disconnected, stopped] = server.stdout().split("\n");
  assert.equal(ready, `Server started on 127.0.0.1:${server.port} (TLS). Waiting for clients.`);
  assert.match(connected!, /^Client connected: 127\.0\.0\.1:\d+$/);
  assert.equal(received, "Received: Hello, server!");
  assert.match(disconnected!, /^Client disconnected: 127\.0\.0\.1:\d+, 14 bytes$/);
  assert.equal(stopped, "Server stopped. Clients: 1, turned away: 0, bytes: 14.");
});

test("in a Korean locale they are the document's own words", async () => {
  const env = { LC_ALL: "ko_KR.UTF-8" };
  const server = startScript("server", ["--port", "0", "--once"], { env });
  const ready =
    /^서버가 시작되었습니다\. 클라이언트의 접속을 기다립니다\. 127\.0\.0\.1:(\d+) \(TLS\)$/m;
  const [, port] = await server.prints(ready);
  const client = await runScript("tls-client", ["--port", port!], { env });
  assert.equal(client.stdout, "서버로부터 받은 응답: Hello, server!\n");
  assert.equal(await server.exit, 0);
  assert.match(server.stdout(), /^클라이언트가 접속되었습니다: 127\.0\.0\.1:\d+$/m);
  assert.match(server.stdout(), /^수신한 데이터: Hello, server!$/m);
});

test("an IPv6 address is one like any other", async () => {
  const server = await startServer(["--host", "::1"]);
  const client = await runScript("tls-client", ["--host", "::1", "--port", server.port]);
  assert.equal(client.stdout, "Response from server: Hello, server!\n");
  await server.stop();
  assert.match(server.stdout(), /^Client connected: \[::1\]:\d+$/m);
  const args = ["--host", "::1", "--port", server.port];
  const { stderr } = await runScript("tls-client", args);
  assert.match(stderr, /^tls-client: nothing listens on \[::1\]:\d+\./);
});

test("plain TCP: the same server on a bare socket, client half-closing or not", async () => {
  const server = await startServer(["--plain"]);
  const socket = connect(+server.port, "127.0.0.1");
  socket.write("one");
  assert.equal(String(await once(socket, "data")), "one"); // answered before the end
  socket.end(" two");
  assert.equal(await drain(socket), " two"); // and after it
  await server.prints(/disconnected: .*, 7 bytes/);
  assert.equal(await server.stop(), 0);
});

test("received text: characters that arrive in halves print whole, and nothing drives the terminal", async () => {
  const server = await startServer(["--plain"]);
  const socket = connect(+server.port, "127.0.0.1");
  const bytes = Buffer.from("서버\u001b[2J\u0000\u202e");
  for (const byte of bytes) {
    socket.write(Buffer.of(byte));
    await once(socket, "data"); // its echo: so every byte is a chunk of its own
  }
  socket.end();
  await server.prints(/disconnected/);
  const received = server.stdout().matchAll(/^Received: (.*)$/gm);
  assert.equal([...received].map(([, text]) => text).join(""), "서버\\u001b[2J\\u0000\\u202e");
  await server.stop();
});

test("--once serves one client, then stops", async () => {
  const server = await startServer(["--once", "--plain"]);
  const socket = connect(+server.port, "127.0.0.1");
  await server.prints(/connected/);
  const late = connect(+server.port, "127.0.0.1");
  const [error] = await once(late, "error");
  assert.equal(error.code, "ECONNREFUSED");
  socket.end("x");
  assert.equal(await drain(socket), "x");
  assert.equal(await server.exit, 0);
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`${signal}, even twice: an idle client is closed, the port is free again, status 0`, async () => {
    const server = await startServer();
    const idle = connect(+server.port, "127.0.0.1"); // it never begins its handshake
    await once(idle, "connect");
    const plain = await startServer(["--plain"]);
    const client = connect(+plain.port, "127.0.0.1");
    await plain.prints(/Client connected/);
    for (const { child, exit } of [server, plain]) {
      child.kill(signal);
      child.kill(signal);
      assert.equal(await exit, 0);
    }
    await drain(client);
    idle.destroy();
    const again = startScript("server", ["--port", plain.port]);
    await again.prints(/Server started/);
    again.child.kill(signal);
    assert.equal(await again.exit, 0);
  });

test("a signal lets a transfer that is under way finish", async () => {
  const server = await startServer(["--plain"]);
  const socket = connect(+server.port, "127.0.0.1");
  const size = 32 * 1024 * 1024;
  socket.end(Buffer.alloc(size, "x"));
  await once(socket, "readable");
  server.child.kill("SIGTERM");
  assert.equal((await drain(socket)).length, size);
  assert.equal(await server.exit, 0);
});

test("a signal: after 5 seconds the rest is cut off, with a line for each client", async () => {
  const server = await startServer(["--plain"]);
  const socket = connect(+server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause(); // never takes its answer
  socket.write(Buffer.alloc(32 * 1024 * 1024));
  await server.prints(/^Received/m);
  server.child.kill("SIGTERM");
  assert.equal(await server.exit, 0);
  assert.match(server.stderr(), /^Client cut off: .*: it did not finish within 5 seconds$/m);
  socket.destroy();
});

test("clients that fail are a line each, and the next one is served", async () => {
  const server = await startServer();
  const http = connect(+server.port, "127.0.0.1");
  http.end("GET / HTTP/1.1\r\n\r\n");
  await server.prints(/^Client refused: 127\.0\.0\.1:\d+: it does not speak TLS$/m);
  const gone = connect(+server.port, "127.0.0.1");
  await once(gone, "connect");
  gone.resetAndDestroy();
  await server.prints(/^Client left during the handshake: .*: it may not trust this certificate$/m);
  const client = await runScript("tls-client", ["--port", server.port]);
  assert.equal(client.code, 0);
  http.destroy();
  await server.stop();
});

test("a port that is taken, and other places where it can't listen", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const { port } = blocker.address() as AddressInfo;
  const cases: [string[], RegExp][] = [
    [["--port", `${port}`], new RegExp(`port ${port} is taken\\. Use --port`)],
    [["--port", "0", "--host", "192.0.2.1"], /192\.0\.2\.1 is not an address of this machine/],
    [["--port", "0", "--host", "nowhere.invalid"], /there is no host named nowhere\.invalid/],
  ];
  await refusesToStart(1, cases);
  blocker.close();
});

test("a wrong command line is one line and status 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--port", "65536"], /--port must be a whole number from 0 to 65535, not "65536"/],
    [["--port", "5e3"], /--port must be a whole number/],
    [["--port=-1"], /--port must be a whole number/],
    [["--port", "-1"], /--port needs a value/],
    [["extra"], /unexpected argument "extra"/],
    [["--cert", "x"], /--cert and --key go together/],
    [["--plain", "--cert", "x", "--key", "y"], /--plain uses no certificates/],
    [["--host", ""], /--host needs a value/],
  ];
  await refusesToStart(2, cases);
});

test("certificates of one's own, and wrong ones", needs("openssl"), async () => {
  const files = ["a", "b"].flatMap((name) => [inScratch(`${name}.crt`), inScratch(`${name}.key`)]);
  const [aCert, aKey, bCert, bKey] = files as [string, string, string, string];
  const make = (cert: string, key: string) =>
    run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own"],
      ...["-addext", "subjectAltName=DNS:localhost", "-out", cert, "-keyout", key],
    ]);
  await Promise.all([make(aCert, aKey), make(bCert, bKey)]);
  const encrypted = inScratch("encrypted.key");
  await run("openssl", ["pkey", "-in", aKey, "-aes256", "-passout", "pass:x", "-out", encrypted]);
  const nonsense = inScratch("nonsense.pem");
  writeFileSync(nonsense, "nonsense");

  const server = await startServer(["--cert", aCert, "--key", aKey]);
  const trusting = [aCert, bCert].map((ca) => ["--port", server.port, "--ca", ca]);
  const codes = (await runEach("tls-client", trusting)).map(({ code }) => code);
  assert.deepEqual(codes, [0, 1]);
  await server.stop();

  const wrong: [string, string, RegExp][] = [
    [aCert, bKey, /--key .*b\.key is not the key of --cert .*a\.crt/],
    [nonsense, aKey, /--cert .*nonsense\.pem holds no certificate in PEM form/],
    [aCert, nonsense, /--key .*nonsense\.pem holds no private key/],
    [aCert, encrypted, /--key .*encrypted\.key is encrypted; decrypt it with: openssl pkey/],
    [inScratch("none"), aKey, /cannot read --cert .*none: no such file or directory/],
  ];
  await refusesToStart(
    1,
    wrong.map(([cert, key, line]) => [["--cert", cert, "--key", key], line]),
  );
});

// The document's client with what it lacks: the name to check, somebody to trust, the whole answer.
const PYTHON_CLIENT = `
import socket, ssl, sys
context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=sys.argv[2])
client = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
data = "Hello, server!".encode()
client.sendall(data)
answer = b""
while len(answer) < len(data):
    answer += client.recv(1024)
print(answer.decode())
client.close()
`;

test("Python's ssl as the client", needs("python3"), async () => {
  const server = await startServer();
  const args = ["-c", PYTHON_CLIENT, server.port, `${certs}/server.crt`];
  const { code, stdout, stderr } = await run("python3", args);
  assert.deepEqual([stdout, stderr, code], ["Hello, server!\n", "", 0]);
  await server.prints(/disconnected: .*, 14 bytes/);
  assert.equal(server.stderr().includes("Client lost"), false);
  await server.stop();
});

test("openssl s_client, with half-close and without", needs("openssl"), async () => {
  const server = await startServer();
  const args = ["s_client", "-connect", `127.0.0.1:${server.port}`, "-quiet", "-no_ign_eof"];
  args.push("-verify_return_error", "-CAfile", `${certs}/server.crt`);
  const verified = ["-verify_hostname", "localhost"];
  const client = start("openssl", [...args, ...verified]);
  client.child.stdin!.write("answer me\n");
  await client.prints(/^answer me$/m); // while its input is still open
  client.child.stdin!.end();
  assert.equal(await client.exit, 0);
  const refused = await run("openssl", [...args, "-verify_hostname", "other.example"]);
  assert.match(refused.stderr, /hostname mismatch/i);
  await server.prints(/^Client left during the handshake: .*: [\w/ ]+$/m);
  await run("openssl", [...args, "-tls1_2"]);
  await server.prints(/^Client refused: .*: it does not offer TLS 1\.3$/m);
  await server.stop();
});

async function refusesToStart(status: number, cases: [string[], RegExp][]): Promise<void> {
  const results = await runEach(
    "server",
    cases.map(([args]) => args),
  );
  const alone = await runScript("server", cases[0]![0]); // which ends, whatever may be open
  for (const [i, { code, stdout, stderr }] of [...results, alone].entries()) {
    assert.match(stderr, (cases[i] ?? cases[0]!)[1]);
    assert.match(stderr, /^server: [^\n]*\n$/);
    assert.deepEqual([stdout, code], ["", status], stderr);
  }
}

async function drain(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// Whoever else people would point at it: each sends a text and gets it back, whole.
const peers: [string, string, (port: string) => string[], string?][] = [
  [
    "openssl, half-closing",
    "openssl",
    (port) => [
      "s_client",
      "-quiet",
      "-no_ign_eof",
      "-connect",
      `127.0.0.1:${port}`,
      "-CAfile",
      `${certs}/server.crt`,
      "-verify_return_error",
    ],
  ],
  [
    "socat",
    "socat",
    (port) => ["-t5", "-", `OPENSSL:localhost:${port},pf=ip4,cafile=${certs}/server.crt`],
  ],
  [
    "ncat --ssl",
    "ncat",
    (port) => ["--ssl-verify", "--ssl-trustfile", `${certs}/server.crt`, "localhost", port, "-4"],
  ],
  [
    "gnutls-cli",
    "gnutls-cli",
    (port) => ["--logfile=/dev/null", `--x509cafile=${certs}/server.crt`, "-p", port, "localhost"],
  ],
  ["nc --plain", "nc", (port) => ["-N", "127.0.0.1", port], "--plain"],
  ["socat --plain", "socat", (port) => ["-t5", "-", `TCP:127.0.0.1:${port}`], "--plain"],
  [
    "curl telnet:// --plain",
    "curl",
    (port) => ["-sSN", "--max-time", "5", `telnet://127.0.0.1:${port}`],
    "--plain",
  ],
];
const servers: Record<string, Awaited<ReturnType<typeof startServer>>> = {};
for (const [i, [name, command, args, plain = "TLS"]] of peers.entries())
  test(`peer: ${name}`, needs(command), async () => {
    servers[plain] ??= await startServer(plain === "TLS" ? ["--quiet"] : ["--quiet", plain]);
    const server = servers[plain];
    // curl reads nothing while it has something to write. Each peer sends another number of bytes.
    const text = "안녕, 서버!\n".repeat((command === "curl" ? 1_000 : 10_000) + i);
    const client = start(command, args(server.port), { timeout: 30_000 });
    client.child.stdin!.write(text);
    if (command === "ncat") client.child.stdin!.end(); // it may sit on its last bytes until then
    const ended = client.exit.then((status) => assert.fail(`${status}: ${client.stderr()}`));
    ended.catch(() => {});
    while (client.bytes().length < Buffer.byteLength(text))
      await Promise.race([once(client.child.stdout!, "data"), ended]);
    client.child.stdin!.end();
    assert.equal(client.stdout(), text);
    if (command === "curl") client.child.kill(); // it would stay
    const disconnected = `^Client disconnected: .*, ${Buffer.byteLength(text)} bytes$`;
    await Promise.race([client.exit, server.prints(new RegExp(disconnected, "m"))]);
    client.child.kill();
    await server.prints(new RegExp(disconnected, "m"));
  });
test("the servers of these peers stop as others do", async (t) => {
  if (Object.keys(servers).length === 0) t.skip("none of them is installed");
  for (const server of Object.values(servers)) assert.equal(await server.stop(), 0);
});

test(
  "mutual TLS: who has no certificate, or another's, is refused before any data",
  needs("openssl"),
  async () => {
    await startServer().then((server) => server.stop()); // makes the certificates
    const server = await startServer(["--client-ca", `${certs}/client.crt`]);
    const args = ["s_client", "-quiet", "-no_ign_eof", "-connect", `127.0.0.1:${server.port}`];
    const other = ["-cert", `${certs}/server.crt`, "-key", `${certs}/server.key`];
    const own = ["-cert", `${certs}/client.crt`, "-key", `${certs}/client.key`];
    const refused: [string[], RegExp, RegExp][] = [
      [[], /certificate required/, /: it has no certificate, and --client-ca asks for one$/m],
      [
        other,
        /s_client|error/i,
        /: its certificate is not from --client-ca, or not valid: [a-z ]+$/m,
      ],
    ];
    for (const [more, alert, line] of refused) {
      const client = start("openssl", [...args, ...more]);
      client.child.stdin!.write("not for you\n");
      assert.notEqual(await client.exit, 0);
      assert.match(client.stderr(), alert);
      assert.equal(client.stdout(), "");
      await server.prints(line);
    }
    assert.doesNotMatch(server.stdout(), /Client connected/);
    const client = start("openssl", [...args, ...own]);
    client.child.stdin!.write("it's me\n");
    await client.prints(/^it's me$/m);
    client.child.stdin!.end();
    await server.prints(/Client disconnected/);
    await server.stop();
  },
);
