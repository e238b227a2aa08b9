// server.ts serves whoever people would point at it, over TLS and plain TCP.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import {
  certs,
  needs,
  run,
  runScript,
  start,
  startScript,
  startServer,
  uncounted,
  until,
  type Server,
} from "./helpers.ts";
import { drain, ipv6 } from "./peers.ts";

uncounted();

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

test("an IPv6 address is one like any other", ipv6, async () => {
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
    (port) => ["-t30", "-", `OPENSSL:localhost:${port},pf=ip4,cafile=${certs}/server.crt`],
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
  ["socat --plain", "socat", (port) => ["-t30", "-", `TCP:127.0.0.1:${port}`], "--plain"],
  [
    "curl telnet:// --plain",
    "curl",
    (port) => ["-sSN", "--max-time", "60", `telnet://127.0.0.1:${port}`],
    "--plain",
  ],
];
const servers: Record<string, Server> = {};
for (const [i, [name, command, args, plain = "TLS"]] of peers.entries())
  test(`peer: ${name}`, needs(command), async () => {
    servers[plain] ??= await startServer(plain === "TLS" ? ["--quiet"] : ["--quiet", plain]);
    const server = servers[plain];
    // curl reads nothing while it has something to write. Each peer sends another number of bytes.
    const text = "안녕, 서버!\n".repeat((command === "curl" ? 1_000 : 10_000) + i);
    const client = start(command, args(server.port));
    client.child.stdin!.write(text);
    if (command === "ncat") client.child.stdin!.end(); // it may sit on its last bytes until then
    const size = Buffer.byteLength(text);
    let over = false;
    void client.exit.then(() => (over = true));
    const fits = (bytes: number) => bytes >= size || over;
    await until(`${size} bytes of echo`, () => client.bytes().length, fits);
    client.child.stdin!.end();
    assert.equal(client.stdout(), text, client.stderr());
    if (command === "curl") client.child.kill(); // it would stay
    const disconnected = `^Client disconnected: .*, ${size} bytes$`;
    await Promise.race([client.exit, server.prints(new RegExp(disconnected, "m"))]);
    client.child.kill();
    await server.prints(new RegExp(disconnected, "m"));
  });
test("the servers of these peers stop as others do", async (t) => {
  if (Object.keys(servers).length === 0) t.skip("none of them is installed");
  for (const server of Object.values(servers)) assert.equal(await server.stop(), 0);
});
