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
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import { developmentCertificate } from "../lib/certs.ts";
import { commandLine, fail, usageError, wholeNumber } from "../lib/cli.ts";
import { clientError, endpoint, listenError } from "../lib/network.ts";
import { readPair } from "../lib/pem.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: server.ts [options]

Echoes what clients send, over TLS 1.3. Ctrl-C stops it.

      --host HOST            address to listen on (default 127.0.0.1: this machine only)
      --port PORT            port to listen on (default 5000; 0 takes any free one)
      --plain                plain TCP instead of TLS
      --cert FILE            certificate (PEM) to use instead of a development one,
      --key FILE             and its key
      --once                 serve one client, then stop
  -h, --help                 print this help

Example: server.ts --port 5001
`;

const { values: options, positionals } = commandLine(HELP, {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "5000" },
  plain: { type: "boolean", default: false },
  cert: { type: "string" },
  key: { type: "string" },
  once: { type: "boolean", default: false },
});
const { host, plain, cert, key } = options;
const port = wholeNumber("--port", options.port, 0, 65535);
if (positionals.length > 0) usageError(t`unexpected argument "${positionals[0]!}"`);
if (!cert !== !key) usageError(t`--cert and --key go together`);
if (plain && cert) usageError(t`--plain uses no certificate: leave out --cert and --key`);

const DEADLINE = 5_000; // milliseconds that clients have to finish in when the server stops
const QUIET = 200; // milliseconds of silence after which a client counts as idle then

const clients = new Set<net.Socket>();
let [served, echoed, stopping] = [0, 0, false];
let deadline: NodeJS.Timeout | undefined;

// Create the server. A TLS socket is a socket: the same function serves both. Half-open: a client
// may end its sending side and still receive; by default Node would end the other side at once.
// TLS 1.3 alone leaves nothing to misconfigure: no old cipher, no renegotiation.
const common = { allowHalfOpen: true, noDelay: true };
const server = plain
  ? net.createServer(common, serve)
  : tls.createServer(
      {
        ...common,
        ...(cert && key ? readPair(cert, key) : developmentCertificate()),
        minVersion: "TLSv1.3",
        handshakeTimeout: 10_000, // milliseconds
      },
      serve,
    );

// A client that fails the handshake is one line in the log, and nobody else's trouble.
server.on("tlsClientError", (error: Error, socket: net.Socket) => {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  console.error(t`Client refused: ${client}: ${clientError(error)}`);
});

// Bind the address and listen: from here on, clients can connect, and Ctrl-C stops the server.
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
try {
  server.listen(port, host);
  await once(server, "listening");
} catch (error) {
  fail(listenError(error, host, port));
}
const bound = server.address() as net.AddressInfo;
const address = endpoint(bound.address, bound.port);
console.log(t`Server started on ${address} (${plain ? "TCP" : "TLS"}). Waiting for clients.`);

/** Accepts a client: from here on, its socket is a stream to read from and to write to. */
function serve(socket: net.Socket): void {
  if (stopping) return void socket.destroy();
  if (options.once) {
    stopping = true;
    server.close();
  }
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  console.log(t`Client connected: ${client}`);
  clients.add(socket);
  served++;

  // Receive. A character may be cut in two between chunks; the decoder keeps the first half back.
  const decoder = new StringDecoder("utf8");
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    const text = decoder.write(chunk);
    if (text) console.log(t`Received: ${text}`);
  });
  // Answer. A pipe reads no faster than the client takes its answers (backpressure), and ends our
  // side once the client has ended its own and has every byte back.
  socket.pipe(socket);

  socket.on("error", (error) => console.error(t`Client lost: ${client}: ${clientError(error)}`));
  socket.on("close", () => {
    console.log(t`Client disconnected: ${client}, ${bytes} bytes`);
    clients.delete(socket);
    echoed += bytes;
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
  // A client that is silent, and has nothing left to take, is idle.
  for (const socket of clients)
    socket.setTimeout(QUIET, () => socket.writableLength === 0 && socket.end());
  deadline = setTimeout(() => {
    for (const socket of clients) {
      const client = endpoint(socket.remoteAddress, socket.remotePort);
      console.error(t`Client cut off: ${client}: it did not finish within 5 seconds`);
      socket.destroy();
    }
  }, DEADLINE);
}

function finish(): never {
  console.log(t`Server stopped. Clients: ${served}, bytes: ${echoed}.`);
  process.exit();
}
