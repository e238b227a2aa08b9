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
 * Mirrors the document's section on sockets. Read on: https://nodejs.org/api/net.html,
 * https://nodejs.org/api/tls.html, then scripts/tls-client.ts.
 */
import { once } from "node:events";
import * as net from "node:net";
import { setDefaultHighWaterMark } from "node:stream";
import * as tls from "node:tls";
import { developmentCertificate } from "../lib/certs.ts";
import { commandLine, fail, milliseconds, usageError, wholeNumber } from "../lib/cli.ts";
import { clientError, endpoint, listenError } from "../lib/network.ts";
import { readCertificates, readPair } from "../lib/pem.ts";
import { transcript } from "../lib/transcript.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: server.ts [options]

Echoes what clients send, over TLS 1.3. Ctrl-C stops it.

      --host HOST             address to listen on (default 127.0.0.1: this machine only)
      --port PORT             port to listen on (default 5000; 0 takes any free one)
      --plain                 plain TCP instead of TLS
      --cert FILE             certificate (PEM) to use instead of a development one,
      --key FILE              and its key
      --client-ca FILE        admit only clients with a certificate from this CA (PEM)
      --once                  serve one client, then stop
      --max-connections N     turn further clients away (default 1000)
      --idle-timeout SECONDS  disconnect a client that is silent for so long (default 60)
      --quiet                 do not print what clients send
  -h, --help                  print this help

Example: npx tsx scripts/server.ts --port 5001
`;

const { values: options, positionals } = commandLine(HELP, {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "5000" },
  plain: { type: "boolean", default: false },
  cert: { type: "string" },
  key: { type: "string" },
  "client-ca": { type: "string" },
  once: { type: "boolean", default: false },
  "max-connections": { type: "string", default: "1000" },
  "idle-timeout": { type: "string", default: "60" },
  quiet: { type: "boolean", default: false },
});
const { host, plain, cert, key, "client-ca": clientCa } = options;
const port = wholeNumber("--port", options.port, 0, 65535);
const most = wholeNumber("--max-connections", options["max-connections"], 1, 1_000_000);
const patience = milliseconds("--idle-timeout", options["idle-timeout"]);
if (positionals.length > 0) usageError(t`unexpected argument "${positionals[0]!}"`);
if (!cert !== !key) usageError(t`--cert and --key go together`);
if (plain && (cert || clientCa))
  usageError(t`--plain uses no certificates: leave out --cert, --key and --client-ca`);

const QUIET = 500; // milliseconds of silence after which a client counts as idle when we stop
const DEADLINE = 5_000; // milliseconds that the others then have to finish in
const LARGE = 32 * 1024; // bytes: a read worth corking for; TLS, in records of 16 KiB, gains nothing

// What may wait to be written before a client has to stop sending, in bytes. With Node's own 16 KiB,
// TLS brings just what fills it: each read would stop the client, and each write would start it again.
setDefaultHighWaterMark(false, 1024 * 1024);

const clients = new Set<net.Socket>();
let [served, turnedAway, echoed, stopping] = [0, 0, 0, false];
let deadline: NodeJS.Timeout | undefined;

// Create the server. A TLS socket is a socket: the same function serves both.
// TLS 1.3 alone leaves nothing to misconfigure: no old cipher, no renegotiation.
const server = plain
  ? net.createServer({ noDelay: true }, serve)
  : tls.createServer(
      {
        noDelay: true,
        ...(cert && key ? readPair(cert, key) : developmentCertificate()),
        minVersion: "TLSv1.3",
        handshakeTimeout: 10_000, // milliseconds
        // Mutual TLS: the client proves who it is as well, before a byte of its data is read.
        ...(clientCa && { requestCert: true, ca: readCertificates("--client-ca", clientCa) }),
      },
      serve,
    );

// Bind the address and listen: from here on, clients can connect, and Ctrl-C stops the server.
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
try {
  server.listen({ port, host, backlog: most });
  await once(server, "listening");
} catch (error) {
  fail(listenError(error, host, port));
}
const bound = server.address() as net.AddressInfo;
const address = endpoint(bound.address, bound.port);
console.log(t`Server started on ${address} (${plain ? "TCP" : "TLS"}). Waiting for clients.`);

// A client that there is no room for, or that fails the handshake, is one line in the log and nobody
// else's trouble. Out of file descriptors, the runtime closes new connections by itself.
server.maxConnections = most;
server.on("drop", (client) => {
  turnedAway++;
  const from = endpoint(client?.remoteAddress, client?.remotePort);
  console.error(t`Client turned away: ${from}: ${most} are connected; see --max-connections`);
});
server.on("error", (error) => console.error(t`Client lost: ${"?"}: ${clientError(error)}`));
server.on("tlsClientError", (error: Error, socket: tls.TLSSocket) => {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  console.error(t`Client refused: ${client}: ${clientError(error, socket.authorizationError)}`);
  socket.destroy(); // after a timeout, the runtime leaves that to us
});

/** Accepts a client: from here on, its socket is a stream to read from and to write to. */
function serve(socket: net.Socket): void {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  if (stopping) {
    turnedAway++;
    console.error(t`Client turned away: ${client}: the server is stopping`);
    return void socket.destroy();
  }
  if (options.once) {
    stopping = true;
    server.close();
  }
  console.log(t`Client connected: ${client}`);
  clients.add(socket);
  served++;

  // From now on, a client may end its sending side and still receive (half-close). One that leaves
  // during the handshake has nothing to receive: so not before.
  socket.allowHalfOpen = true;

  // Receive: a chunk at a time, as large as it happened to arrive. Behind a large one, more is waiting:
  // all that comes in this turn of the event loop then goes out in one write.
  const show = options.quiet ? undefined : transcript();
  socket.on("data", (chunk: Buffer) => {
    show?.(chunk);
    if (chunk.length < LARGE || socket.writableCorked) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  });
  // Answer. A pipe reads no faster than the client takes its answers (backpressure), and ends our
  // side once the client has ended its own and has every byte back.
  socket.pipe(socket);

  // Silence: for too long, or while we stop. There, who still has something to take is not idle.
  socket.setTimeout(patience);
  socket.on("timeout", () => {
    if (!deadline) console.error(t`Client lost: ${client}: it was silent for too long`);
    if (socket.writableLength === 0) socket.destroySoon();
    else if (!deadline) socket.destroy();
  });
  socket.on("error", (error) => console.error(t`Client lost: ${client}: ${clientError(error)}`));
  socket.on("close", () => {
    console.log(t`Client disconnected: ${client}, ${socket.bytesRead} bytes`);
    clients.delete(socket);
    echoed += socket.bytesRead;
    if (stopping && clients.size === 0) finish();
  });
}

/**
 * Stops when asked to: no new clients; those connected may finish what is under way. A signal may
 * come twice for one Ctrl-C (from the terminal, and from tsx, which passes it on).
 */
function stop(): void {
  if (deadline) return;
  stopping = true;
  server.close();
  if (clients.size === 0) finish();
  for (const socket of clients) socket.setTimeout(QUIET);
  deadline = setTimeout(() => {
    for (const socket of clients) {
      const client = endpoint(socket.remoteAddress, socket.remotePort);
      console.error(t`Client cut off: ${client}: it did not finish within 5 seconds`);
      socket.destroy();
    }
  }, DEADLINE);
}

function finish(): void {
  console.log(t`Server stopped. Clients: ${served}, turned away: ${turnedAway}, bytes: ${echoed}.`);
  process.stdout.write("", () => process.exit()); // once all of the log is written
}
