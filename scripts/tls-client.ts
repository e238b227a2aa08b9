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
 * The third section of the post that README.md names, on SSL/TLS. Read on: RFC 8446 (TLS 1.3), RFC 9525
 * (names in certificates), https://nodejs.org/api/tls.html, and scripts/server.ts for the other end.
 */
import { X509Certificate } from "node:crypto";
import { setDefaultResultOrder } from "node:dns";
import { once } from "node:events";
import { isIP, setDefaultAutoSelectFamilyAttemptTimeout } from "node:net";
import { Readable, setDefaultHighWaterMark } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import { describe, isoDate, readCertificates, readPair, trustedCertificate } from "../lib/certs.ts";
import * as cli from "../lib/cli.ts";
import { flag, seconds, text, usageError, whole } from "../lib/cli.ts";
import { connectionError, hostName, type Attempt } from "../lib/network.ts";
import { printableLines, t } from "../lib/words.ts";

const { options, args } = await cli.commandLine(
  {
    usage: ["[MESSAGE]"],
    about: t`Sends the message (default "Hello, server!") over verified TLS, and prints the answer. "-" streams
standard input to the server, and its answer to standard output.
DEV_CERTS_DIR names another folder for the development certificates than .certs.`,
    example: `npx tsx scripts/tls-client.ts --port 5001 "Hello, server!"`,
  },
  {
    host: text("", "HOST", t`server to connect to`, "localhost"),
    port: whole("PORT", t`its port`, 5000, [1, 65535]),
    servername: text("", "NAME", t`name that the certificate must be for (default: the host)`),
    ca: text("", "FILE", t`trust this CA (PEM), and no other`),
    cert: text("", "FILE", t`client certificate (PEM), for a server that asks for one`),
    key: text("", "FILE", t`the key (PEM) of --cert`),
    timeout: seconds(t`to connect, to shake hands, and for each wait for the server`, 10),
    "half-close": seconds(t`silence of the server after which our own side ends`, 1),
    inspect: flag("", t`print the connection and the certificates; send nothing`),
  },
);
const { port, cert, key, inspect } = options;
const [message = "Hello, server!"] = args;
checkOptions();
const host = oneForm("--host", options.host);
const name = options.servername ? oneForm("--servername", options.servername) : host;
const attempt: Attempt = { host, port, name, certificate: !!cert, stage: "connection" };
const inTime = () => ({ signal: AbortSignal.timeout(options.timeout) });
tune();

try {
  // Connect. The name goes out in the clear (SNI), so that a server of many names can choose its
  // certificate; an address has no place there.
  const socket = tls.connect({
    host,
    port,
    servername: isIP(name) ? "" : name,
    ca: trusted(),
    checkServerIdentity: checkName,
    // Even where the environment has NODE_TLS_REJECT_UNAUTHORIZED=0. Only --inspect, which sends
    // nothing, looks at a server that can't be verified.
    rejectUnauthorized: !inspect,
    minVersion: "TLSv1.2",
    ciphers: strong(tls.DEFAULT_CIPHERS),
    ...(cert && key && readPair(cert, key)), // who we are, for a server that asks
  });
  await once(socket, "connect", inTime());

  // Shake hands: the server shows its certificates, which are verified, and proves that it has the key.
  attempt.stage = "handshake";
  await once(socket, "secureConnect", inTime());

  // Only now, with the server verified, does anything leave.
  attempt.stage = "wait";
  if (inspect) await inspectServer(socket);
  else await converse(socket);
  process.exit(); // standard input may still be open
} catch (error) {
  cli.fail(connectionError(error, attempt));
}

/** Whom we trust, as a list of certificates; undefined is the runtime's own list, as in a browser. */
function trusted(): Buffer | undefined {
  if (options.ca) return readCertificates("--ca", options.ca);
  // For this machine, it is the certificate that scripts/server.ts made for development, alone.
  return /^(localhost|127(\.\d+){3}|::1)$/.test(host) ? trustedCertificate() : undefined;
}

/** With no short RSA key and no SHA-1 in a certificate. (Bun's TLS library has no such levels.) */
function strong(ciphers: string): string {
  return process.versions.bun ? ciphers : `${ciphers}:@SECLEVEL=2`;
}

/**
 * The certificate must have the name among its alternative names (SAN). A wildcard stands for one whole
 * first label (RFC 9525, 6.3); the common name, which is free text, counts for nothing.
 */
function checkName(_: string, certificate: tls.PeerCertificate): Error | undefined {
  // Deno's checkHost takes no wildcards, and common names all the same; its older check is right.
  const subject = { ...certificate.subject, CN: "" };
  if (process.versions.deno) return tls.checkServerIdentity(name, { ...certificate, subject });
  const x509 = new X509Certificate(certificate.raw);
  const exactly = { subject: "never", partialWildcards: false } as const;
  if (isIP(name) ? x509.checkIP(name) : x509.checkHost(name, exactly)) return undefined;
  return Object.assign(new Error(), { code: "ERR_TLS_CERT_ALTNAME_INVALID", cert: certificate });
}

/**
 * Sends the message, or standard input, and prints the answer, both at once: a server that answers
 * while it reads would otherwise wait for us, and we for it. Neither is read faster than the other end
 * takes it (backpressure), so that any size takes constant memory.
 */
async function converse(socket: tls.TLSSocket): Promise<void> {
  const [protocol, cipher] = [socket.getProtocol() ?? "?", socket.getCipher().standardName];
  // It is verified, or we would not be here; unless somebody has changed rejectUnauthorized, above.
  console.error(
    socket.authorized
      ? t`${protocol}, ${cipher}. Verified: ${name}, until ${lastDay(socket)}.`
      : t`${protocol}, ${cipher}. NOT verified: ${refusal(socket)}`,
  );
  const raw = message === "-";
  const input = raw ? cli.openInput("-") : Readable.from([Buffer.from(message)]);
  let size = 0; // bytes of the input
  input.on("data", (chunk: Buffer) => (size += chunk.length));
  limitWaits(socket, input);
  socket.once("data", () => (attempt.stage = "answer"));
  const sent = pipeline(input, socket, { end: false }).then(() => endOurSide(socket, size));
  const received = raw ? pipeline(socket, process.stdout, { end: false }) : printAnswer(socket);
  // Until the answer ends, or sending fails.
  await Promise.race([received, sent.then(() => received)]);
  await cli.flush(); // whoever reads our output may be slow
  const all = input.readableEnded && socket.writableLength === 0;
  const none = socket.bytesRead === 0 && (size > 0 || !all); // of an answer to what we had to say
  if (none) throw Object.assign(new Error(), { code: "ECONNRESET" }); // which connectionError explains
  if (!all) cli.fail(t`the server ended before the input did`);
}

/**
 * Ends our side: once as many bytes have come back as went out, for an echo is complete then, or the
 * server is silent. Many servers take an earlier end for a hang-up, and drop the rest of their answer.
 */
function endOurSide(socket: tls.TLSSocket, sent: number): void {
  const silence = setTimeout(() => {
    if (readerIsSlow(socket)) silence.refresh();
    else socket.end();
  }, options["half-close"]);
  const count = () => void (socket.bytesRead === sent ? socket.end() : silence.refresh());
  socket.on("data", count).on("close", () => clearTimeout(silence));
  count();
}

/** Prints the answer: all that comes until the server ends, for nothing else says that it is complete. */
async function printAnswer(socket: tls.TLSSocket): Promise<void> {
  const decoder = new StringDecoder("utf8"); // keeps half a character until the rest arrives
  let label = t`Response from server: ${""}`;
  const write = async (text: string) => {
    const free = process.stdout.write(label + printableLines(text));
    label = "";
    if (!free) await once(process.stdout, "drain");
  };
  try {
    for await (const chunk of socket) await write(decoder.write(chunk));
    if (!label || !message) await write(decoder.end() + "\n");
  } catch (error) {
    if (!label) process.stdout.write("\n"); // what went wrong gets a line of its own
    throw error;
  }
}

/** --inspect: what the server shows, and whether it will do. */
async function inspectServer(socket: tls.TLSSocket): Promise<void> {
  const exchange = (socket.getEphemeralKeyInfo() ?? {}) as tls.EphemeralKeyInfo;
  const group = exchange.name ?? exchange.type ?? "-"; // the post-quantum hybrids have no one size
  cli.print(t`Protocol:     ${socket.getProtocol() ?? "?"}`);
  cli.print(t`Cipher:       ${socket.getCipher().standardName}`);
  const size = exchange.size ? t`, ${exchange.size} bits` : "";
  cli.print(t`Key exchange: ${group + size}`);
  let certificate = socket.getPeerCertificate(true);
  for (let i = 0; certificate?.raw; certificate = certificate.issuerCertificate) {
    cli.print(t`Certificate ${i++}`);
    describe(new X509Certificate(certificate.raw)).forEach((line) => cli.print(line));
    if (certificate.fingerprint256 === certificate.issuerCertificate?.fingerprint256) break; // a root
  }
  if (socket.authorized) cli.print(t`Trusted: ${name}, until ${lastDay(socket)}.`);
  else cli.print(t`Refused: ${refusal(socket)}`);
  process.exitCode = socket.authorized ? 0 : 1;
  await cli.flush();
  socket.resume().end(); // in an orderly way: the server has nothing to complain of
  await once(socket, "close", inTime());
}

function lastDay(socket: tls.TLSSocket): string {
  return isoDate(socket.getPeerCertificate().valid_to);
}

/** Why the certificates were not accepted. */
function refusal(socket: tls.TLSSocket): string {
  const code = String(socket.authorizationError);
  const error = Object.assign(new Error(code), { code, cert: socket.getPeerCertificate() });
  return connectionError(error, { ...attempt, stage: "handshake" });
}

/** Gives the server its time for an answer, once all of our input is sent, and for taking the input. */
function limitWaits(socket: tls.TLSSocket, input: Readable): void {
  socket.setTimeout(options.timeout).on("timeout", () => {
    const waiting = input.readableEnded || socket.writableLength > 0;
    if (waiting && !readerIsSlow(socket))
      socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" }));
  });
}

/** Whether it is whoever reads our output that keeps us waiting, and not the server. */
function readerIsSlow(socket: tls.TLSSocket): boolean {
  return socket.readableLength > 0 || process.stdout.writableNeedDrain;
}

/** What an option names, in the one form in which it is resolved, sent and checked. */
function oneForm(option: string, given: string): string {
  const name = hostName(given);
  if (name) return name;
  usageError(
    t`${option} takes a name or an address alone, not "${given}"; a port goes into --port`,
  );
}

function checkOptions(): void {
  if (!cert !== !key) usageError(t`--cert and --key go together`);
  if (inspect && args.length > 0) usageError(t`--inspect sends no message`);
  if (args.length > 1) usageError(t`more than one message; quote it: "${args.join(" ")}"`);
  const wrong = cli.garbled(message);
  if (wrong) cli.fail(t`${message}: ${wrong}`);
}

function tune(): void {
  setDefaultResultOrder("ipv4first"); // "localhost" is 127.0.0.1 first, as with the post's AF_INET
  // Each address of a host but the last has this time, not the 250 ms of the runtime.
  setDefaultAutoSelectFamilyAttemptTimeout(Math.ceil(options.timeout / 4));
  // As in scripts/server.ts: bytes that may wait to be written, so that TLS stops its source less often.
  setDefaultHighWaterMark(false, 1024 * 1024);
}
