// What the server survives: each test ends with a fresh client being served, and with the server's
// memory and open descriptors back near where they were.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as tls from "node:tls";
import { linux, startServer, startShell, uncounted, until, type Server } from "./helpers.ts";
import { development, pem, portOf } from "./peers.ts";

uncounted();

const MIB = 1024 * 1024;

const open = (server: Server) => readdirSync(`/proc/${server.child.pid}/fd`).length;
const resident = (server: Server) =>
  // bytes
  1024 *
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, "utf8"))![1]);

const plainClient = (server: Server) => connect(+server.port, "127.0.0.1").on("error", () => {});
const tlsClient = (server: Server, socket?: Socket) =>
  tls
    .connect({
      ...(socket ? { socket } : { port: +server.port, host: "127.0.0.1" }),
      servername: "localhost",
      ca: pem(development),
    })
    .on("error", () => {});

/** A client is served, as it should be. */
async function served(server: Server) {
  const socket = tlsClient(server).end("Hello, server!");
  const [answer] = await once(socket, "data");
  assert.equal(String(answer), "Hello, server!");
  await once(socket, "close");
}

/** A fresh client is served, and what the others took has been given back. */
async function wellAfter(server: Server, before: { open: number; resident: number }, growth = 64) {
  await served(server);
  const most = before.open + 2;
  await until(
    `at most ${most} descriptors`,
    () => open(server),
    (now) => now <= most,
  );
  const grown = (resident(server) - before.resident) / MIB;
  assert.ok(grown < growth, `grown by ${grown} MiB`);
  assert.equal(await server.stop(), 0);
  assert.doesNotMatch(server.stderr(), /^\s+at /m);
}

test(
  "5,000 connections of garbage, HTTP, half a ClientHello, nothing, or a reset",
  linux("/proc"),
  async () => {
    const server = await startServer(["--quiet"]);
    await served(server); // warm
    const before = { open: open(server), resident: resident(server) };
    const hello = await clientHello();
    const attacks: ((socket: Socket) => void)[] = [
      (socket) => socket.end(randomBytes(500)),
      (socket) => socket.end("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      (socket) => socket.write(hello.subarray(0, hello.length / 2), () => socket.end()),
      (socket) => socket.end(),
      (socket) => setTimeout(200).then(() => socket.destroy()), // nothing, for a while
      (socket) => socket.write(hello, () => socket.resetAndDestroy()),
    ];
    for (let round = 0; round < 50; round++) {
      const sockets = Array.from({ length: 100 }, (_, i) => {
        const socket = plainClient(server);
        socket.resume().once("connect", () => attacks[i % attacks.length]!(socket));
        return once(socket, "close");
      });
      await Promise.all(sockets);
    }
    assert.ok(server.stderr().split("\n").length > 4_000); // a line each
    await wellAfter(server, before);
  },
);

test("a handshake that is never finished is ended after 10 seconds", async () => {
  const server = await startServer();
  const silent = plainClient(server).resume();
  await once(silent, "connect");
  const half = plainClient(server).resume();
  half.write((await clientHello()).subarray(0, 100));
  const begin = performance.now();
  await Promise.all([once(silent, "close"), once(half, "close")]);
  assert.ok(performance.now() - begin < 45_000); // a busy machine may be late, but not so late
  assert.equal(server.stderr().match(/it did not finish the handshake in time$/gm)?.length, 2);
  await server.stop();
});

test("connections reset in mid-echo", linux("/proc"), async () => {
  const server = await startServer(["--quiet"]);
  await served(server);
  const before = { open: open(server), resident: resident(server) };
  for (let round = 0; round < 20; round++)
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const raw = plainClient(server);
        const socket = tlsClient(server, raw);
        socket.write(Buffer.alloc(MIB));
        await once(socket, "data");
        raw.resetAndDestroy();
      }),
    );
  await wellAfter(server, before);
});

test("clients that send and never read cost at most 16 MB each", linux("/proc"), async () => {
  const server = await startServer(["--quiet"]);
  await served(server);
  const before = { open: open(server), resident: resident(server) };
  const count = 4;
  const sockets = Array.from({ length: count }, () => tlsClient(server).pause());
  for (const socket of sockets) {
    await once(socket, "secureConnect");
    socket.write(Buffer.alloc(64 * MIB));
  }
  const slow = setInterval(() => sockets[0]!.read(1), 1000); // one of them reads a byte a second
  // The server takes no more once neither side's bytes move.
  let [taken, since] = [-1, 0];
  const now = () =>
    sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  await until("the server to take no more", now, (bytes) => {
    if (bytes !== taken) [taken, since] = [bytes, performance.now()];
    return performance.now() - since > 300; // ms
  });
  const grown = (resident(server) - before.resident) / count;
  assert.ok(grown < 16 * MIB, `${grown / MIB} MiB each`);
  clearInterval(slow);
  for (const socket of sockets) socket.destroy();
  await wellAfter(server, before);
});

test("garbage in place of a record, after the handshake, costs a line, and the connection", async () => {
  const server = await startServer(["--idle-timeout", "600"]); // which is not what ends it
  for (const size of [0, 2_000_000]) {
    const onward = plainClient(server);
    const relay = createServer((socket) =>
      socket
        .on("error", () => {})
        .pipe(onward)
        .pipe(socket),
    );
    const socket = tlsClient({ ...server, port: await portOf(relay) });
    await once(socket, "secureConnect");
    socket.write("fine");
    await once(socket, "data");
    socket.write(Buffer.alloc(size));
    if (size > 0) await once(socket, "data"); // its echo is under way
    onward.write(randomBytes(1000));
    await until("its end", () => onward.closed, Boolean); // for what comes next can't be read
  }
  await server.prints(/(^Client disconnected: [^]*){2}/m);
  await served(server);
  await server.stop();
  assert.match(
    server.stderr(),
    /^(Made [^]*finds and trusts it\.\n)?(Client lost: 127\.0\.0\.1:\d+: [\w/ ]+\n){2}$/,
  );
});

test("garbage that is read behind a reset costs no second line", async () => {
  const server = await startServer();
  const connection = plainClient(server);
  const socket = tlsClient(server, connection);
  await once(socket, "secureConnect");
  socket.write("fine");
  await once(socket, "data");
  const sent = (to: Socket, size: number) =>
    new Promise((written) => to.write(Buffer.alloc(size), written));
  server.child.kill("SIGSTOP"); // all of it comes at once: more than one read
  await sent(socket, 50_000);
  await sent(connection, 100);
  connection.resetAndDestroy();
  server.child.kill("SIGCONT");
  await server.prints(/^Client disconnected: /m);
  await server.stop();
  assert.equal(server.stderr().match(/^Client /gm)?.length, 1, server.stderr());
});

test("more clients than --max-connections: turned away and counted, and let in when others leave", async () => {
  const server = await startServer(["--max-connections", "3", "--quiet"]);
  const inside = Array.from({ length: 3 }, () => tlsClient(server));
  for (const socket of inside) await once(socket, "secureConnect");
  const outside = Array.from({ length: 5 }, () => plainClient(server).resume());
  await Promise.all(outside.map((socket) => once(socket, "close")));
  for (const socket of inside) {
    socket.write("still served");
    assert.equal(String(await once(socket, "data")), "still served");
  }
  inside[0]!.end();
  await once(inside[0]!.resume(), "close");
  await server.prints(/Client disconnected/);
  await served(server);
  for (const socket of inside) socket.destroy();
  await server.stop();
  const line = /^Client turned away: 127\.0\.0\.1:\d+: 3 are connected; see --max-connections$/gm;
  assert.equal(server.stderr().match(line)?.length, 5);
  assert.match(server.stdout(), /^Server stopped\. Clients: 4, turned away: 5, bytes: 50\.$/m);
});

test("more clients than file descriptors: those inside are served, later ones get in", async () => {
  const program = startShell(`ulimit -n 64; exec "$@"`, "server", ["--port", "0", "--quiet"]);
  const [, port] = await program.prints(/^Server started on .*:(\d+) \(/m);
  const server = { ...program, port: port! } as Server;
  const sockets = Array.from({ length: 100 }, () => tlsClient(server));
  const inside: tls.TLSSocket[] = [];
  await Promise.all(
    sockets.map(async (socket) => {
      const ready = once(socket, "secureConnect").then(() => inside.push(socket));
      await Promise.race([ready, once(socket, "close")]).catch(() => {});
    }),
  );
  assert.ok(inside.length >= 20 && inside.length < 64, `${inside.length} inside`);
  for (const socket of inside) {
    socket.write("still served");
    assert.equal(String(await once(socket, "data")), "still served");
  }
  for (const socket of inside.slice(0, 10)) socket.destroy();
  const left = () => server.stdout().match(/Client disconnected/g)?.length ?? 0;
  await until("10 clients that have left", left, (count) => count >= 10);
  await served(server);
  for (const socket of inside) socket.destroy();
  server.child.kill("SIGTERM");
  assert.equal(await server.exit, 0);
});

test("SIGTERM with 100 clients in mid-transfer: everything arrives whole", async () => {
  const server = await startServer(["--quiet"]);
  const size = MIB;
  const sent = randomBytes(size);
  let begun = 0;
  const answers = Array.from({ length: 100 }, async () => {
    const socket = tlsClient(server);
    await once(socket, "secureConnect");
    socket.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) {
      if (chunks.push(chunk) === 1 && ++begun === 100) server.child.kill("SIGTERM");
    }
    return Buffer.concat(chunks);
  });
  for (const answer of await Promise.all(answers)) assert.ok(answer.equals(sent));
  assert.equal(await server.exit, 0);
  assert.equal(server.stderr().replace(/^Made [^]*?trusts it\.\n/, ""), "");
  assert.match(
    server.stdout(),
    /Server stopped\. Clients: 100, turned away: 0, bytes: 104857600\./,
  );
});

test("a silent client is disconnected, with close_notify and a line", async () => {
  const server = await startServer(["--idle-timeout", "0.3"]);
  const socket = tlsClient(server).resume();
  await once(socket, "secureConnect");
  await once(socket, "end"); // an end, not a reset
  await server.prints(/^Client lost: 127\.0\.0\.1:\d+: it was silent for too long$/m);
  await server.prints(/^Client disconnected: /m);
  const stuck = tlsClient(server).pause(); // takes nothing
  stuck.write(Buffer.alloc(16 * MIB));
  await server.prints(/(^Client disconnected: [^]*){2}/m);
  stuck.destroy();
  await server.stop();
});

test("a log that attackers write: at most 1 KiB for each client, nothing for the terminal to obey", async () => {
  const server = await startServer(["--plain"]);
  const flood = plainClient(server);
  let left = 1024; // a line of 1 GiB
  const block = Buffer.alloc(MIB, "x");
  const push = () => {
    while (left-- > 0) if (!flood.write(block)) return void flood.once("drain", push);
    flood.end();
  };
  push();
  await once(flood.resume(), "close");
  const nasty = plainClient(server);
  nasty.end(
    Buffer.concat([Buffer.from("\u001b]0;y\u0007\0\n"), Buffer.of(0xed, 0xa0, 0x80, 0xff)]),
  );
  await once(nasty.resume(), "close");
  await server.prints(/(Client disconnected[^]*){2}/);
  await server.stop();
  const log = server.stdout();
  assert.match(log, /^Received: x{1,1024}…$/m);
  assert.equal(log.match(/x/g)!.length, 1024);
  assert.match(log, /^Received: \\u001b\]0;y\\u0007\\u0000\\n\ufffd+$/m);
  assert.match(log, /disconnected: .*, 1073741824 bytes/);
});

/** The bytes with which a TLS client begins. */
async function clientHello(): Promise<Buffer> {
  const peer = createServer();
  const port = Number(await portOf(peer));
  const client = tls.connect({ port, host: "127.0.0.1" }).on("error", () => {});
  const [socket] = await once(peer, "connection");
  const [hello] = await once(socket, "data");
  client.destroy();
  return hello;
}
