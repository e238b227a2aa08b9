/**
 * TLS client: sends a message to a server that has proved who it is, and prints the answer.
 *
 * TLS encrypts, but encryption is worth nothing with the wrong party at the other end. So before
 * a byte of the message leaves, the handshake verifies that the server's certificate was issued by
 * somebody trusted here, is valid today, and is for the name that we asked for.
 *
 *   npx tsx scripts/tls-client.ts                        after npx tsx scripts/server.ts elsewhere
 *   npx tsx scripts/tls-client.ts - < big.iso > echoed   standard input instead of a message
 *   npx tsx scripts/tls-client.ts --inspect              what the server shows, and whether it will do
 *
 * Mirrors the document's section on SSL/TLS. Read on: RFC 8446 (TLS 1.3), RFC 9525 (names in
 * certificates), https://nodejs.org/api/tls.html, and scripts/server.ts for the other end.
 */
import { X509Certificate } from "node:crypto";
import { setDefaultResultOrder } from "node:dns";
import { once } from "node:events";
import { isIP } from "node:net";
import { setDefaultHighWaterMark } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import { trustedCertificate } from "../lib/certs.ts";
import { commandLine, fail, milliseconds, usageError, wholeNumber } from "../lib/cli.ts";
import { standardInput } from "../lib/files.ts";
import { connectionError, type Stage } from "../lib/network.ts";
import { isoDate, readCertificates, readPair } from "../lib/pem.ts";
import { flush } from "../lib/output.ts";
import { printable } from "../lib/printable.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: tls-client.ts [options] [MESSAGE]

Sends the message (default "Hello, server!") over verified TLS, and prints the answer. "-" streams
standard input to the server, and its answer to standard output.

      --host HOST        server to connect to (default localhost)
      --port PORT        its port (default 5000)
      --servername NAME  name the certificate must be for (default: the host)
      --ca FILE          trust this CA (PEM), and no other
      --cert FILE        client certificate (PEM), for a server that asks for one,
      --key FILE         and its key
      --timeout SECONDS  to connect, to shake hands, and for each wait for the server (default 10)
      --inspect          print the connection and the certificates; send nothing
  -h, --help             print this help

Example: npx tsx scripts/tls-client.ts --port 5001 "Hello, server!"
`;

const { values: options, positionals } = commandLine(HELP, {
  host: { type: "string", default: "localhost" },
  port: { type: "string", default: "5000" },
  servername: { type: "string" },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  timeout: { type: "string", default: "10" },
  inspect: { type: "boolean", default: false },
});
const { host, servername = host, cert, key } = options;
const port = wholeNumber("--port", options.port, 1, 65535);
const timeout = milliseconds("--timeout", options.timeout);
if (!cert !== !key) usageError(t`--cert and --key go together`);
if (options.inspect && positionals.length > 0) usageError(t`--inspect sends no message`);
if (positionals.length > 1)
  usageError(t`more than one message; quote it: "${positionals.join(" ")}"`);
const message = positionals[0] ?? "Hello, server!";

// Trust is a list of certificates. Without --ca it is the runtime's own list, as in a browser; for
// this machine it is the certificate that scripts/server.ts made for development, alone.
const isThisMachine = /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
const ca = options.ca
  ? readCertificates("--ca", options.ca)
  : isThisMachine
    ? trustedCertificate()
    : undefined;

// "localhost" is 127.0.0.1 first, as with the document's AF_INET, and ::1 after it.
setDefaultResultOrder("ipv4first");

// As in scripts/server.ts: bytes that may wait to be written, so that TLS stops its source less often.
setDefaultHighWaterMark(false, 1024 * 1024);

// The name goes out in the clear (SNI), so that a server of many names can choose its certificate;
// an address has no place there.
const connection: tls.ConnectionOptions = {
  host,
  port,
  servername: isIP(servername) ? "" : servername,
  ca,
  // The name must be among the certificate's alternative names (SAN). Where there are none, Node
  // would take the common name, which is free text (RFC 9525, section 2).
  checkServerIdentity(_, certificate) {
    const subject = { ...certificate.subject, CN: "" };
    // Node 22.23 takes no IPv6 address for one, and refuses it.
    if (isIP(servername) === 6 && new X509Certificate(certificate.raw).checkIP(servername)) return;
    return tls.checkServerIdentity(servername, { ...certificate, subject });
  },
  rejectUnauthorized: true, // even where the environment has NODE_TLS_REJECT_UNAUTHORIZED=0
  minVersion: "TLSv1.2",
  // No certificate with a short RSA key or SHA-1. (Bun's TLS library has no such levels.)
  ...(!process.versions.bun && { ciphers: `${tls.DEFAULT_CIPHERS}:@SECLEVEL=2` }),
  ...(cert && key && readPair(cert, key)), // who we are, for a server that asks
};
let stage: Stage = "connection";
let looked = false;

try {
  // A look at the server without verification, on a connection of its own that carries no data.
  if (options.inspect) looked = await (await import("../lib/inspect.ts")).look(connection, timeout);

  // Connect and shake hands. Each has its time.
  const socket = tls.connect(connection);
  const late = Object.assign(new Error("timeout"), { code: "ETIMEDOUT" });
  const deadline = setTimeout(() => socket.destroy(late), timeout);
  socket.once("connect", () => (stage = "handshake") && deadline.refresh());
  await once(socket, "secureConnect").finally(() => clearTimeout(deadline));
  const until = isoDate(socket.getPeerCertificate().valid_to);
  const encryption = `${socket.getProtocol()}, ${socket.getCipher().standardName}`;
  if (looked) {
    console.log(t`Trusted: ${servername}, until ${until}.`);
    process.exit();
  }
  console.error(t`${encryption}. Verified: ${servername}, until ${until}.`);

  // Only now, with the server verified, does anything leave. We wait for the server where our input
  // has ended, or is not taken; and only after a look at what came while our own reader was slow.
  stage = "answer";
  socket.setTimeout(timeout, () => {
    const { bytesRead, writableLength, writableEnded } = socket;
    setImmediate(() => {
      const waiting = writableEnded || writableLength > 0;
      if (waiting && socket.bytesRead === bytesRead) socket.destroy(late);
    });
  });
  if (message === "-") await stream(socket);
  else await send(socket);
  process.exit(); // standard input may still be open
} catch (error) {
  const why = connectionError(error, { host, port, servername, stage });
  if (!looked) fail(why);
  console.log(t`Refused: ${why}`);
  process.exit(1);
}

/**
 * Sends the message, and prints the answer. Ending our side tells the server that there is no more
 * to come; its own end tells us that the answer is complete.
 */
async function send(socket: tls.TLSSocket): Promise<void> {
  socket.end(message);
  const decoder = new StringDecoder("utf8"); // keeps half a character until the rest arrives
  let label = t`Response from server: ${""}`;
  try {
    for await (const chunk of socket) {
      process.stdout.write(label + printable(decoder.write(chunk)));
      label = "";
    }
    process.stdout.write(label + printable(decoder.end()) + "\n");
    await flush();
  } catch (error) {
    if (!label) process.stdout.write("\n"); // what went wrong gets a line of its own
    throw error;
  }
}

/**
 * Streams standard input to the server and its answer to standard output, at the same time: a server
 * that answers while it reads would otherwise wait for us, and we for it. Neither is read faster than
 * the other end takes it (backpressure), so that any size takes constant memory.
 */
async function stream(socket: tls.TLSSocket): Promise<void> {
  socket.allowHalfOpen = true; // the server's side may end before ours does
  const input = standardInput();
  const sent = pipeline(input, socket);
  const received = pipeline(socket, process.stdout, { end: false });
  await Promise.race([received, sent.then(() => received)]);
  await flush(); // whoever reads our output may be slow
  if (!input.readableEnded) fail(t`the server ended before the input did`);
}
