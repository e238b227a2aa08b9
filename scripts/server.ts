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
import { complain, flag, print, seconds, text, usageError, whole } from "../lib/cli.ts";
import { endpoint, handshakeError, listenError } from "../lib/network.ts";
import { t } from "../lib/words.ts";

const { options, args } = await cli.commandLine(
  {
    usage: [""],
    about: t`Echoes what clients send, over TLS 1.3. Ctrl-C stops it.
DEV_CERTS_DIR names another folder for the development certificates than .certs.`,
    example: "npx tsx scripts/server.ts --port 5001",
  },
  {
    host: text("", "HOST", t`address to listen on; the default is this machine only`, "127.0.0.1"),
    port: whole("PORT", t`port to listen on; 0 takes any free one`, 5000, [0, 65535]),
    plain: flag("", t`plain TCP instead of TLS`),
    cert: text("", "FILE", t`certificate (PEM) to use instead of a development one`),
    key: text("", "FILE", t`the key (PEM) of --cert`),
    "client-ca": text("", "FILE", t`admit only clients with a certificate from this CA (PEM)`),
    once: flag("", t`serve one client, then stop`),
    "max-connections": whole("N", t`turn further clients away`, 1000, [1, 1_000_000]),
    "idle-timeout": seconds(t`disconnect a client that is silent for so long`, 60),
    quiet: flag("", t`do not print what clients send`),
  },
);
const { host, port, plain, cert, key, "client-ca": clientCa } = options;
checkOptions();
setDefaultHighWaterMark(false, 1024 * 1024); // bytes that may wait to be written: see tune, below

// Create the server. A TLS socket is a socket: the same function serves both.
const server = plain
  ? net.createServer({ noDelay: true }, serve)
  : tls.createServer(
      {
        noDelay: true,
        ...(cert && key ? readPair(cert, key) : developmentCertificate()),
        minVersion: "TLSv1.3", // nothing to misconfigure: no old cipher, no renegotiation
        handshakeTimeout: 10_000, // milliseconds
        // Mutual TLS: the client proves who it is as well, before a byte of its data is read.
        ...(clientCa && { requestCert: true, ca: readCertificates("--client-ca", clientCa) }),
      },
      serve,
    );

/** Serves a client: from here on, its socket is a stream to read from and to write to. */
function serve(socket: net.Socket): void {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  if (!admit(socket, client)) return;
  print(t`Client connected: ${client + subject(socket)}`);

  // It may end its sending side and still receive (half-close). Allowed only now: a client that ends it
  // in the middle of the handshake has left.
  socket.allowHalfOpen = true;

  // Receive: a chunk at a time, as large as it happened to arrive. Decoded as a stream: half a
  // character waits for its other half.
  tune(socket);
  if (!options.quiet) transcribe(socket, new StringDecoder("utf8"));

  // Answer. A pipe reads no faster than the client takes its answers (backpressure), and ends our
  // side once the client has ended its own and has every byte back.
  socket.pipe(socket);
}

// Bind the address and listen: from here on, clients can connect.
const most = options["max-connections"];
server.maxConnections = most;
try {
  server.listen({ port, host, backlog: most });
  await once(server, "listening");
} catch (error) {
  cli.fail(listenError(error, host, port));
}
const bound = server.address() as net.AddressInfo;
const address = endpoint(bound.address, bound.port);
print(t`Server started on ${address} (${plain ? "TCP" : "TLS"}). Waiting for clients.`);

// That is the whole of a server. Below is what it needs to stay one: limits, and an end.
const clients = new Map<net.Socket, string>(); // those that are served, with their addresses
let [served, turnedAway, echoed, stopping] = [0, 0, 0, false];
let cutOff: NodeJS.Timeout | undefined; // the end of all waiting, when we stop
const GRACE = 5_000; // milliseconds until then
const IDLE = 500; // milliseconds of silence after which a client has nothing under way
process.on("SIGINT", stop); // Ctrl-C
process.on("SIGTERM", stop);

// A client that there is no room for, or that fails the handshake, is one line in the log and nobody
// else's trouble. Out of file descriptors, the runtime closes new connections by itself.
server.on("drop", (client) => turnAway(client, t`${most} are connected; see --max-connections`));
server.on("error", (error) => turnAway(undefined, cli.reason(error)));
server.on("tlsClientError", (error: Error, socket: tls.TLSSocket) => {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  complain(handshakeError(error, client, socket.authorizationError));
  socket.destroy(); // after a timeout, the runtime leaves that to us
});

/** Takes a client in, unless we stop; and sees it out when it is silent, or lost, or leaves. */
function admit(socket: net.Socket, client: string): boolean {
  if (stopping) {
    turnAway(socket, t`the server is stopping`);
    socket.destroy();
    return false;
  }
  if (options.once) {
    stopping = true;
    server.close();
  }
  clients.set(socket, client);
  served++;
  socket.setTimeout(options["idle-timeout"]);
  socket.on("timeout", () => {
    const why = socket.readableEnded ? t`it takes no more` : t`it was silent for too long`;
    complain(t`Client lost: ${client}: ${why}`);
    if (socket.readableEnded || socket.writableLength > 0) socket.destroy();
    else socket.destroySoon();
  });
  // A client that has ended its side takes what is left for it, or is gone.
  socket.on("end", () => socket.setTimeout(Math.min(GRACE, options["idle-timeout"])));
  socket.on("error", (error) => complain(t`Client lost: ${client}: ${cli.reason(error)}`));
  socket.on("close", () => {
    print(t`Client disconnected: ${client}, ${socket.bytesRead} bytes`);
    clients.delete(socket);
    echoed += socket.bytesRead;
    if (stopping && clients.size === 0) void finish();
  });
  return true;
}

function turnAway(client: net.DropArgument | undefined, why: string): void {
  turnedAway++;
  complain(t`Client turned away: ${endpoint(client?.remoteAddress, client?.remotePort)}: ${why}`);
}

/** Prints what a client sends, at most 1 KiB of it, so that nobody fills a disk by way of the log. */
function transcribe(socket: net.Socket, decoder: StringDecoder): void {
  let left = 1024; // bytes
  const show = (text: string) => void (text && print(t`Received: ${text}`));
  socket.on("data", (chunk: Buffer) => {
    if (left < 0) return;
    const text = decoder.write(chunk.subarray(0, left));
    left -= chunk.length;
    show(left < 0 ? `${text}…` : text);
  });
  socket.on("end", () => left < 0 || show(decoder.end())); // half a character that stayed one
}

/** Whom a client's certificate is for, with mutual TLS. */
function subject(socket: net.Socket): string {
  if (!clientCa) return "";
  return ` (${nameInALine((socket as tls.TLSSocket).getPeerX509Certificate()?.subject)})`;
}

/**
 * Stops when asked to: no new clients; those connected may finish what is under way. A signal may
 * come twice for one Ctrl-C (from the terminal, and from tsx, which passes it on).
 */
function stop(): void {
  if (cutOff) return;
  stopping = true;
  server.close();
  if (clients.size === 0) void finish();
  for (const socket of clients.keys())
    socket
      .removeAllListeners("timeout")
      .on("timeout", () => void (socket.writableLength === 0 && socket.destroySoon()))
      .setTimeout(IDLE);
  cutOff = setTimeout(() => {
    for (const [socket, client] of clients) {
      complain(t`Client cut off: ${client}: it did not finish within ${GRACE / 1000} seconds`);
      socket.destroy();
    }
  }, GRACE);
}

async function finish(): Promise<void> {
  print(t`Server stopped. Clients: ${served}, turned away: ${turnedAway}, bytes: ${echoed}.`);
  await cli.flush();
  process.exit();
}

/**
 * Makes an echo fast (make bench). Much may wait to be written before a client has to stop sending: with
 * the 16 KiB of Node 20, TLS brings just what fills them, and each read would stop the client. And over
 * plain TCP, what comes in one turn of the event loop goes out in one write.
 */
function tune(socket: net.Socket): void {
  socket.on("data", (chunk: Buffer) => {
    // Behind a large chunk, more is waiting. TLS comes in records of 16 KiB, and gains nothing.
    if (chunk.length < 32 * 1024 || socket.writableCorked) return;
    socket.cork();
    setImmediate(() => socket.uncork());
  });
}

function checkOptions(): void {
  if (args.length > 0) usageError(t`unexpected argument "${args[0]!}"`);
  if (!cert !== !key) usageError(t`--cert and --key go together`);
  if (plain && (cert || clientCa))
    usageError(t`--plain uses no certificates: leave out --cert, --key and --client-ca`);
}
