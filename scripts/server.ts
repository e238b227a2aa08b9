/**
 * Server: a listening socket that answers every client, over TLS.
 *
 * It is an echo server (RFC 862): every byte comes back, in order, as it arrives. TCP carries a
 * stream of bytes, not messages: what a client sent at once may arrive in pieces, cut anywhere, and
 * an echo is the one answer that is right wherever the cuts are.
 *
 *   npx tsx scripts/server.ts               then, in another terminal: npx tsx scripts/tls-client.ts
 *   npx tsx scripts/server.ts --plain       then: nc localhost 5000
 *
 * The second section of the post that README.md names, on sockets. Read on:
 * https://nodejs.org/api/net.html, https://nodejs.org/api/tls.html, then scripts/tls-client.ts.
 */
import { once } from "node:events";
import * as net from "node:net";
import { setDefaultHighWaterMark } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import { developmentCertificate, nameInALine, readCertificates, readPair } from "../lib/certs.ts";
import * as cli from "../lib/cli.ts";
import { endpoint, givenHost, handshakeError, listenError } from "../lib/network.ts";
import { policy } from "../lib/policy.ts";
import { t } from "../lib/words.ts";

type Serve = (socket: net.Socket) => void;

/** Creates a server, which calls `serve` for each client. A TLS socket is a socket: one function serves both. */
function create(secure: tls.TlsOptions | undefined, serve: Serve): net.Server {
  if (!secure) return net.createServer({ noDelay: true }, serve);
  // TLS 1.3 alone leaves nothing to misconfigure: no old cipher, no renegotiation.
  return tls.createServer({ ...secure, minVersion: "TLSv1.3", noDelay: true }, serve);
}

/** Binds the address and listens: from here on, clients can connect. Returns where. */
async function listen(server: net.Server, host: string, port: number, backlog: number) {
  server.listen({ host, port, backlog });
  await once(server, "listening");
  const bound = server.address() as net.AddressInfo;
  return endpoint(bound.address, bound.port);
}

/** Serves a client: its socket is a stream, to read from and to write to. */
function serve(socket: net.Socket, quiet: boolean): void {
  // Half-close: a client may end its side and still receive. Allowed only now: one that ends it in the
  // middle of the handshake has left.
  socket.allowHalfOpen = true;

  // What arrives goes into the log: a chunk at a time, as large as it happened to be.
  if (!quiet) transcribe(socket);

  // Receive, and answer. A pipe reads no faster than the client takes its answers (backpressure), and
  // ends our side once the client has ended its own and has every byte back.
  socket.pipe(socket);
}

/** Prints what a client sends: at most 1 KiB of it, so that nobody fills a disk by way of the log. */
function transcribe(socket: net.Socket): void {
  const decoder = new StringDecoder("utf8"); // half a character waits for its other half
  let budget = 1024; // bytes
  const print = (received: string) => {
    if (received) cli.print(t`Received: ${received}`);
  };
  socket.on("data", (chunk: Buffer) => {
    if (budget < 0) return;
    const received = decoder.write(chunk.subarray(0, budget));
    budget -= chunk.length;
    print(budget < 0 ? `${received}…` : received);
  });
  socket.on("end", () => {
    if (budget >= 0) print(decoder.end()); // half a character that stayed one
  });
}

// That is the whole of a server. What follows is what it needs to stay one: limits, and an end.

const GRACE = 5_000; // milliseconds for what is under way, when we stop
const LAST = 100; // milliseconds for the last lines
const IDLE = 500; // milliseconds of silence after which a client has nothing under way

/** What a server has to remember. */
const house = {
  clients: new Map<net.Socket, string>(), // those that are served, with their addresses
  lost: new WeakSet<net.Socket>(), // those of which a line says that they were lost
  served: 0,
  turnedAway: 0,
  echoed: 0, // bytes
  stopping: false, // whether it takes in nobody any more
  cutOff: undefined as NodeJS.Timeout | undefined, // the end of all waiting, once it was asked to stop
};

/** Takes a client in, unless we stop; sees it out when it is silent, or lost, or leaves. */
function admit(socket: net.Socket, idleTimeout: number, withCertificate: boolean): boolean {
  const client = addressOf(socket);
  if (house.stopping) {
    turnAway(client, t`the server is stopping`);
    socket.destroy();
    return false;
  }
  house.clients.set(socket, client);
  house.served++;
  const who = withCertificate ? `${client} (${subjectOf(socket)})` : client;
  cli.print(t`Client connected: ${who}`);

  socket.setTimeout(idleTimeout).on("timeout", () => {
    const why = socket.readableEnded ? t`it takes no more` : t`it was silent for too long`;
    lose(socket, t`Client lost: ${client}: ${why}`);
    if (socket.readableEnded || socket.writableLength > 0) socket.destroy();
    else socket.destroySoon(); // with a goodbye: close_notify, FIN
  });
  // A client that has ended its side has so long to take the rest.
  socket.on("end", () => socket.setTimeout(Math.min(GRACE, idleTimeout)));
  socket.on("error", (error) => {
    lose(socket, t`Client lost: ${client}: ${cli.reason(error)}`);
    socket.destroy(); // after bytes that are no TLS, the runtime doesn't
  });
  socket.on("close", () => {
    cli.print(t`Client disconnected: ${client}, ${socket.bytesRead} bytes`);
    house.clients.delete(socket);
    house.echoed += socket.bytesRead;
    if (house.stopping && house.clients.size === 0) void finish();
  });
  return true;
}

/** Says how a client was lost, once: behind a reset, a TLS socket may report what else was wrong. */
function lose(socket: net.Socket, line: string): void {
  if (!house.lost.has(socket)) cli.complain(line);
  house.lost.add(socket);
}

/** The TCP connection below a TLS socket, where the runtime shows it (Bun doesn't). */
function below(socket: net.Socket & { _parent?: net.Socket | null }): net.Socket | undefined {
  return socket._parent ?? undefined;
}

function addressOf(socket: net.Socket): string {
  const { remoteAddress, remotePort } = below(socket) ?? socket;
  return endpoint(remoteAddress, remotePort);
}

/** Whom a client's certificate is for. */
function subjectOf(socket: net.Socket): string {
  return nameInALine((socket as tls.TLSSocket).getPeerX509Certificate()?.subject);
}

function turnAway(client: string, why: string): void {
  house.turnedAway++;
  cli.complain(t`Client turned away: ${client}: ${why}`);
}

/**
 * A client that there is no room for, or that fails the handshake, is one line in the log and nobody
 * else's trouble. Out of file descriptors, the runtime closes new connections by itself.
 */
function limit(server: net.Server, maxConnections: number): void {
  server.maxConnections = maxConnections;
  server.on("drop", (client) => {
    const address = endpoint(client?.remoteAddress, client?.remotePort);
    turnAway(address, t`${maxConnections} are connected; see --max-connections`);
  });
  server.on("error", (error) => turnAway("?", cli.reason(error)));
  // The runtime keeps an address that was asked for once, for when the client has gone.
  server.on("connection", (connection: net.Socket) => void connection.remoteAddress);
  server.on("tlsClientError", (error: Error, socket: tls.TLSSocket) => {
    const sent = below(socket)?.bytesRead;
    cli.complain(handshakeError(error, addressOf(socket), sent, socket.authorizationError));
    socket.destroy(); // after a timeout, the runtime leaves that to us
  });
}

/**
 * Makes an echo fast over plain TCP (make bench): what comes in one turn of the event loop goes out in one
 * write. Called before the answer's pipe is laid: the pipe must find the socket corked.
 */
function cork(socket: net.Socket): void {
  socket.on("data", (chunk: Buffer) => {
    // Behind a large chunk, more is waiting.
    if (chunk.length < 32 * 1024 || socket.writableCorked) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  });
}

/**
 * Sets how many bytes may wait to be written before a client has to stop sending. With the 16 KiB of Node 20,
 * TLS brings just what fills them, and each read would stop the client; with more than this, an echo is hardly
 * faster, and a client that never reads takes more than a megabyte. (TLS has an encrypted copy on top.)
 */
function letWait(plain: boolean): void {
  setDefaultHighWaterMark(false, (plain ? 256 : 128) * 1024);
}

/**
 * Stops when asked to: no new clients; those connected may finish what is under way. A signal may
 * come twice for one Ctrl-C (from the terminal, and from tsx, which passes it on).
 */
function stop(server: net.Server): void {
  if (house.cutOff) return;
  house.stopping = true;
  server.close();
  if (house.clients.size === 0) void finish();
  for (const socket of house.clients.keys())
    socket
      .removeAllListeners("timeout")
      .on("timeout", () => {
        if (socket.writableLength === 0) socket.destroySoon();
      })
      .setTimeout(IDLE);
  house.cutOff = setTimeout(() => {
    for (const [socket, client] of house.clients) {
      lose(socket, t`Client cut off: ${client}: it did not finish within ${GRACE / 1000} seconds`);
      socket.destroy();
    }
    setTimeout(() => process.exit(), LAST); // also where nobody reads the log any more
  }, GRACE);
}

async function finish(): Promise<void> {
  const { served, turnedAway, echoed } = house;
  cli.print(t`Server stopped. Clients: ${served}, turned away: ${turnedAway}, bytes: ${echoed}.`);
  await cli.flush();
  process.exit();
}

async function main(): Promise<void> {
  const { options, args } = await cli.commandLine(
    {
      usage: [""],
      about: t`Echoes what clients send, over TLS 1.3. Ctrl-C stops it.
DEV_CERTS_DIR: folder for the development certificates (default .certs).`,
      example: "npx tsx scripts/server.ts --port 5001",
    },
    {
      host: cli.text("", "HOST", t`address to listen on`, "127.0.0.1"),
      port: cli.whole("PORT", t`its port; 0 takes any free one`, 5000, [0, 65535]),
      plain: cli.flag("", t`plain TCP instead of TLS`),
      cert: cli.text("", "FILE", t`certificate (PEM), not a development one`),
      key: cli.text("", "FILE", t`the key (PEM) of --cert`),
      "client-ca": cli.text("", "FILE", t`admit only clients certified by this CA (PEM)`),
      once: cli.flag("", t`serve one client, then stop`),
      "max-connections": cli.whole("N", t`turn further clients away`, 1000, [1, 1_000_000]),
      "idle-timeout": cli.seconds(t`disconnect who is silent for so long`, 60),
      quiet: cli.flag("", t`do not print what clients send`),
    },
  );
  const { port, plain, cert, key, "client-ca": clientCa, quiet } = options;
  const { "max-connections": maxConnections, "idle-timeout": idleTimeout } = options;
  const host = givenHost("--host", options.host);
  if (args.length > 0) cli.usageError(t`unexpected argument "${args[0]!}"`);
  if (!cert !== !key) cli.usageError(t`--cert and --key go together`);
  if (plain && (cert || clientCa))
    cli.usageError(t`--plain uses no certificates: leave out --cert, --key and --client-ca`);

  letWait(plain);
  const secure: tls.TlsOptions | undefined = plain
    ? undefined
    : {
        ...policy(),
        ...(cert ? readPair(cert, key) : developmentCertificate()),
        // Mutual TLS: the client proves who it is as well, before a byte of its data is read.
        ...(clientCa && { requestCert: true, ca: readCertificates("--client-ca", clientCa) }),
        handshakeTimeout: 10_000, // milliseconds
      };
  const server = create(secure, (socket) => {
    if (!admit(socket, idleTimeout, clientCa !== "")) return;
    if (options.once) {
      house.stopping = true;
      server.close();
    }
    if (plain) cork(socket); // TLS comes in records of 16 KiB, and gains nothing
    serve(socket, quiet);
  });
  const address = await listen(server, host, port, maxConnections).catch((error: Error) =>
    cli.fail(listenError(error, host, port)),
  );
  limit(server, maxConnections);
  process.on("SIGINT", () => stop(server)); // Ctrl-C
  process.on("SIGTERM", () => stop(server));
  cli.print(t`Server started on ${address} (${plain ? "TCP" : "TLS"}). Waiting for clients.`);
}

await main();
