// How server.ts ends: a signal, --once, and the end of one connection.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { needs, start, startScript, startServer } from "./helpers.ts";
import { drain } from "./peers.ts";

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

// Ends its side after more than the connection holds, and takes nothing of the echo: with a small
// window, so that the most of it waits in the server.
const TAKES_NOTHING = `
import socket, sys
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
client.connect(("127.0.0.1", int(sys.argv[1])))
client.sendall(bytes(200_000))
client.shutdown(socket.SHUT_WR)
sys.stdin.read()
`;

test(
  "a client that has ended its side and takes nothing is let go long before --idle-timeout",
  needs("python3"),
  async () => {
    const server = await startServer(["--plain", "--quiet", "--idle-timeout", "600"]);
    const client = start("python3", ["-c", TAKES_NOTHING, server.port]);
    await server.prints(/^Client disconnected: .*, 200000 bytes$/m); // its descriptor is closed
    assert.doesNotMatch(server.stderr(), /silent/);
    client.child.stdin!.end();
    await client.exit;
    assert.equal(await server.stop(), 0);
  },
);
