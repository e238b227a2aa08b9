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
import { once } from "node:events";
import { fstatSync } from "node:fs";
import { isIP } from "node:net";
import { Readable, type DuplexOptions } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import * as tls from "node:tls";
import {
  describe,
  isoDate,
  issuerOf,
  readCertificates,
  readPair,
  trustedCertificate,
} from "../lib/certs.ts";
import * as cli from "../lib/cli.ts";
import {
  connectionError,
  failure,
  givenHost,
  giveUp,
  limitLookup,
  type Failure,
  type Target,
} from "../lib/network.ts";
import { policy } from "../lib/policy.ts";
import { printableLines, t } from "../lib/words.ts";

/**
 * Connects, and shakes hands: the server shows its certificates and proves that it has the key. They are
 * verified before the promise resolves: issued by a CA in `ca` (undefined: in the runtime's own list, as in
 * a browser), valid today, and for the name.
 */
async function connect({ host, port, name }: Target, more: tls.ConnectionOptions, limit: number) {
  const socket = tls.connect({
    host,
    port,
    // The name goes out in the clear (SNI), so that a server of many names can choose its certificate; an
    // address has no place there.
    servername: isIP(name) ? "" : name,
    checkServerIdentity: (_, certificate) => checkName(name, certificate),
    rejectUnauthorized: true, // also where the environment has NODE_TLS_REJECT_UNAUTHORIZED=0
    ...more,
  });
  const failed = once(socket, "error").then(([error]) => Promise.reject(error));
  const until = (event: string) =>
    Promise.race([failed, once(socket, event, { signal: AbortSignal.timeout(limit) })]);
  if (!isIP(host)) await until("lookup").catch(giveUp("lookup"));
  await until("connect").catch(giveUp("connection"));
  await until("secureConnect").catch(giveUp("handshake"));
  return socket;
}

/**
 * The certificate must have the name among its alternative names (SAN). A wildcard stands for one whole
 * first label (RFC 9525, 6.3); the common name, which is free text, counts for nothing.
 */
function checkName(name: string, certificate: tls.PeerCertificate): Error | undefined {
  // Deno's checkHost knows no wildcards, and accepts common names; its older check is right.
  const subject = { ...certificate.subject, CN: "" };
  if (process.versions.deno) return tls.checkServerIdentity(name, { ...certificate, subject });
  const x509 = new X509Certificate(certificate.raw);
  const exactly = { subject: "never", partialWildcards: false } as const;
  if (isIP(name) ? x509.checkIP(name) : x509.checkHost(name, exactly)) return undefined;
  return Object.assign(failure("ERR_TLS_CERT_ALTNAME_INVALID"), { cert: certificate });
}

/**
 * Sends the input and prints the answer, both at once: a server that answers while it reads would
 * otherwise wait for us, and we for it. Neither is read faster than the other end takes it
 * (backpressure), so that any size takes constant memory.
 */
async function converse(
  socket: tls.TLSSocket,
  input: Readable,
  print: (socket: tls.TLSSocket) => Promise<void>,
  silence: number,
): Promise<void> {
  const sent = pipeline(input, socket, { end: false }).then(() => endOurSide(socket, silence));
  const received = print(socket);
  // Until the answer ends; where sending fails, no longer.
  await Promise.race([received, sent.then(() => received)]);
}

/** The answer as it comes. A `for await` of the socket itself destroys it at the end, with what we still send. */
function answer(socket: tls.TLSSocket): AsyncIterable<Buffer> {
  return socket.iterator({ destroyOnReturn: false });
}

/** Prints the answer: all that comes until the server ends, for nothing else says that it is complete. */
async function printAnswer(socket: tls.TLSSocket): Promise<void> {
  const decoder = new StringDecoder("utf8"); // keeps half a character until the rest arrives
  let [begun, half] = [false, ""]; // and half a line end (CR LF) is kept here
  const write = async (received: string) => {
    const before = begun ? "" : t`Response from server: ${""}`;
    begun = true;
    const all = half + received;
    half = all.endsWith("\r") ? "\r" : "";
    const lines = printableLines(all.slice(0, all.length - half.length));
    await cli.write(before + lines);
  };
  try {
    for await (const chunk of answer(socket)) await write(decoder.write(chunk));
    // An empty answer is one only where nothing was sent.
    if (begun || socket.bytesWritten === 0) await write(decoder.end());
    if (begun) await cli.write(printableLines(half) + "\n");
  } catch (error) {
    if (begun) await cli.write("\n"); // what went wrong gets a line of its own
    throw error;
  }
}

// That is the whole of a client. What follows is what it needs to get on with any server.

/**
 * Ends our side once as many bytes have come back as went out, for an echo is complete then, or the server
 * has fallen silent. Many servers take an earlier end for a hang-up, and drop the rest of their answer.
 */
function endOurSide(socket: tls.TLSSocket, silence: number): void {
  const timer = setTimeout(() => {
    if (readerIsSlow(socket)) timer.refresh();
    else socket.end();
  }, silence);
  const complete = () => socket.bytesRead === socket.bytesWritten;
  const count = () => {
    timer.refresh();
    // A turn later: more may follow, and an end while the runtime still hands out what has come loses
    // the rest without an error.
    if (complete()) setImmediate(() => complete() && socket.end());
  };
  socket.on("data", count).on("close", () => clearTimeout(timer));
  count();
}

/** Limits how long the server may take to accept our input and, once all is sent, to answer. */
function limitWaits(socket: tls.TLSSocket, input: Readable, limit: number): void {
  socket.setTimeout(limit).on("timeout", () => {
    const waiting = input.readableEnded || socket.writableLength > 0;
    if (waiting && !readerIsSlow(socket)) socket.destroy(failure("ETIMEDOUT"));
    else socket.setTimeout(limit); // it would come once, and again only after traffic
  });
}

/** Whether it is whoever reads our output that keeps us waiting, and not the server. */
function readerIsSlow(socket: tls.TLSSocket): boolean {
  return socket.readableLength > 0 || process.stdout.writableNeedDrain;
}

/** Converses within limits; fails unless all was sent and, if there was anything, answered. */
async function exchange(
  socket: tls.TLSSocket,
  message: string,
  limit: number,
  silence: number,
): Promise<void> {
  const raw = message === "-";
  const input = raw ? cli.openInput("-") : Readable.from([Buffer.from(message)]);
  const copyAnswer = async () => {
    for await (const chunk of answer(socket)) await cli.write(chunk);
  };
  // Whose error it was: the input's ends the socket as well, and the socket's the input.
  const step = () => (socket.bytesRead > 0 ? "answer" : "wait");
  socket.on("error", (error: Failure) => (error.step ??= step()));
  input.on("error", (error: Failure) => (error.step ??= "input"));
  let taken = 0; // bytes of the input, while our side is open
  input.on("data", (piece: Buffer) => (taken += socket.writableEnded ? 0 : piece.length));
  limitWaits(socket, input, limit);
  await converse(socket, input, raw ? copyAnswer : printAnswer, silence).catch((error) =>
    giveUp(step())(error),
  );
  await cli.flush(); // whoever reads our output may be slow
  // The server's end may be here before we are told that our last write went through.
  await new Promise<void>((done) => socket.end(() => done()));
  // A message or a file has ended once all of it was taken, even if its end was not read yet.
  const { size } = raw ? fstatSync(0) : { size: Buffer.byteLength(message) };
  const ended = input.readableEnded || (size > 0 && taken === size);
  const all = ended && socket.writableFinished; // where a write failed, none waits any more
  // No answer to what we had to say: connectionError explains what that may mean.
  if (socket.bytesRead === 0 && (socket.bytesWritten > 0 || !all))
    giveUp("wait")(failure("ECONNRESET"));
  if (!all) cli.fail(t`the server ended before the input did`);
}

/** Whom we trust for a host, as a list of certificates; undefined is the runtime's own list. */
function trusted(host: string, file: string): Buffer | undefined {
  if (file) return readCertificates("--ca", file);
  // For this machine, it is the certificate that scripts/server.ts made for development, alone.
  return /^(localhost|127(\.\d+){3}|::1)(%\w+)?$/.test(host) ? trustedCertificate() : undefined;
}

/** What the handshake came to, asked of the socket: a reader may have changed the code above. */
function outcome(socket: tls.TLSSocket, target: Target): string {
  const [protocol, cipher] = [socket.getProtocol() ?? "?", socket.getCipher().standardName];
  return socket.authorized
    ? t`${protocol}, ${cipher}. Verified: ${target.name}, until ${lastDay(socket)}.`
    : t`${protocol}, ${cipher}. NOT verified: ${refusal(socket, target)}`;
}

function lastDay(socket: tls.TLSSocket): string {
  return isoDate(socket.getPeerCertificate().valid_to);
}

/** Why the certificates were not accepted. */
function refusal(socket: tls.TLSSocket, target: Target): string {
  const error = failure(String(socket.authorizationError));
  return connectionError(
    Object.assign(error, { step: "handshake", cert: socket.getPeerCertificate() }),
    target,
  );
}

/** --inspect: what the server shows, and whether it will do. */
async function inspect(
  socket: tls.TLSSocket,
  target: Target,
  ca: Buffer | undefined,
  limit: number,
): Promise<void> {
  const agreed = (socket.getEphemeralKeyInfo() ?? {}) as tls.EphemeralKeyInfo;
  const group = agreed.name ?? agreed.type ?? "-";
  cli.print(t`Protocol:     ${socket.getProtocol() ?? "?"}`);
  cli.print(t`Cipher:       ${socket.getCipher().standardName}`);
  const size = agreed.size ? t`, ${agreed.size} bits` : ""; // the post-quantum hybrids have no one size
  cli.print(t`Key exchange: ${group + size}`);
  // First, for a walk along the chain makes the runtime forget the certificates.
  const verdict = socket.authorized
    ? t`Trusted: ${target.name}, until ${lastDay(socket)}.`
    : t`Refused: ${refusal(socket, target)}`;
  const sent: X509Certificate[] = [];
  for (let next = socket.getPeerX509Certificate(); next; next = next.issuerCertificate)
    sent.push(next);
  sent.forEach((certificate, i) => {
    cli.print(t`Certificate ${i}`);
    describe(certificate).forEach((line) => cli.print(line));
  });
  const root = issuerOf(sent.at(-1), ca);
  if (root) {
    cli.print(t`Certificate ${sent.length}, which is trusted here; the server did not send it`);
    describe(root).forEach((line) => cli.print(line));
  }
  cli.print(verdict);
  process.exitCode = socket.authorized ? 0 : 1;
  await cli.flush();
  socket.resume().end(); // in an orderly way: the server has nothing to complain of
  await once(socket, "close", { signal: AbortSignal.timeout(limit) }).catch(giveUp("wait"));
}

async function main(): Promise<void> {
  const { options, args } = await cli.commandLine(
    {
      usage: ["[MESSAGE]"],
      about: t`Sends the message (default "Hello, server!") over verified TLS, and prints the
answer. "-" streams standard input to the server, and the answer back.
DEV_CERTS_DIR: folder for the development certificates (default .certs).`,
      example: `npx tsx scripts/tls-client.ts --port 5001 "Hello, server!"`,
    },
    {
      host: cli.text("", "HOST", t`server to connect to`, "localhost"),
      port: cli.whole("PORT", t`its port`, 5000, [1, 65535]),
      servername: cli.text("", "NAME", t`name the certificate must be for (default: HOST)`),
      ca: cli.text("", "FILE", t`trust this CA (PEM), and no other`),
      cert: cli.text("", "FILE", t`client certificate (PEM), for a server that asks`),
      key: cli.text("", "FILE", t`the key (PEM) of --cert`),
      timeout: cli.seconds(t`for connecting, handshake and each wait`, 10),
      "half-close": cli.seconds(t`server's silence until our own side ends`, 1),
      inspect: cli.flag("", t`print connection and certificates; send nothing`),
    },
  );
  const { port, cert, key, timeout, "half-close": silence } = options;
  const [message = "Hello, server!"] = args;
  if (!cert !== !key) cli.usageError(t`--cert and --key go together`);
  if (options.inspect && args.length > 0) cli.usageError(t`--inspect sends no message`);
  if (args.length > 1) cli.usageError(t`more than one message; quote it: "${args.join(" ")}"`);
  const wrong = cli.garbled(message);
  if (wrong) cli.fail(t`${message}: ${wrong}`);
  const host = givenHost("--host", options.host);
  const asked = options.servername ? givenHost("--servername", options.servername) : host;
  const name = asked.replace(/%.*/, ""); // no certificate has an IPv6 address with its zone (fe80::1%eth0)
  limitLookup(timeout);
  const target = { host, port, name, ca: options.ca !== "", certificate: cert !== "" };
  try {
    const ca = trusted(host, options.ca);
    // So many bytes may wait in the socket; with the runtime's own 16 or 64 KiB, bulk data takes 8 % longer.
    const highWaterMark = 1024 * 1024;
    const more: tls.ConnectionOptions & DuplexOptions = { ca, highWaterMark, ...policy() };
    // It sends nothing, and looks at a server that can't be verified as well.
    if (options.inspect) more.rejectUnauthorized = false;
    if (cert) Object.assign(more, readPair(cert, key)); // who we are, for a server that asks
    const socket = await connect(target, more, timeout);
    if (options.inspect) await inspect(socket, target, ca, timeout);
    else {
      console.error(outcome(socket, target));
      await exchange(socket, message, timeout, silence);
    }
    process.exit(); // standard input may still be open
  } catch (error) {
    await cli.flush(); // part of an answer is output as well
    cli.fail(connectionError(error as Error, target));
  }
}

await main();
