// What the tests of connections share: certificates, which openssl makes here; servers, good and bad; and
// what it means that the client or the server refuses.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { networkInterfaces } from "node:os";
import { after } from "node:test";
import * as tls from "node:tls";
import {
  freePort,
  inScratch as file,
  needs,
  refused,
  run,
  start,
  type How,
  type Refusal,
  type Server,
} from "./helpers.ts";

export const openssl = needs("openssl");
const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const loopback = interfaces.some(({ address }) => address === "::1");
export const ipv6 = { skip: !loopback && "no IPv6 here" };

/** How a certificate differs from a good one for localhost. */
type Certificate = {
  by?: string; // its issuer (root): where that isn't there, it is made as a CA; itself: self-signed
  constraints?: string; // CA:FALSE; of one that issues others CA:TRUE
  names?: string; // DNS:localhost, IP:127.0.0.1; "": none
  cn?: string; // the common name: localhost, or the CA's own
  extensions?: string; // others, as in x509v3_config(5), a line each
  key?: string; // ec; or rsa:BITS
  md?: string; // sha256
  from?: string; // 20250101000000Z
  until?: string; // 20450101000000Z
};

const issued = new Map<string, Promise<string>>();

/** Issues NAME.crt, for NAME.key, once; the name is what stands for the pair below. */
export function issue(name: string, certificate: Certificate = {}): Promise<string> {
  const made = issued.get(name) ?? make(name, certificate);
  issued.set(name, made);
  return made;
}

/** As a CA would: with `openssl ca`, which can set any dates. */
async function make(name: string, certificate: Certificate): Promise<string> {
  const {
    by = "root",
    constraints = "CA:FALSE",
    md = "sha256",
    key,
    extensions = "",
  } = certificate;
  const { from = "20250101000000Z", until = "20450101000000Z" } = certificate;
  const authority = constraints.startsWith("CA:TRUE");
  const { cn = authority ? name : "localhost" } = certificate;
  const { names = authority ? "" : "DNS:localhost, IP:127.0.0.1" } = certificate;
  if (by !== name) await issue(by, { by, constraints: "CA:TRUE" });
  const signer = by === name ? ["-selfsign"] : ["-cert", file(`${by}.crt`)];
  const [config, index, request] = ["cnf", "index", "csr"].map((type) => file(`${name}.${type}`));
  writeFileSync(index!, "");
  writeFileSync(
    config!,
    `[ca]\ndefault_ca = d\n[d]\ndatabase = ${index}\nnew_certs_dir = ${file("")}
policy = p\nrand_serial = yes\nunique_subject = no\n[p]\ncommonName = supplied\n[e]
basicConstraints = critical, ${constraints}
${names && `subjectAltName = ${names}`}\n${extensions}\n`,
  );
  const ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]; // made in no time
  const { stderr } = await run("openssl", [
    ...["req", "-new", "-nodes", "-newkey", ...(key ? [key] : ec), "-subj", `/CN=${cn}`],
    ...["-keyout", file(`${name}.key`), "-out", request!],
  ]);
  const signed = await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", config!, "-extensions", "e", "-md", md],
    ...["-startdate", from, "-enddate", until, ...signer, "-keyfile", file(`${by}.key`)],
    ...["-in", request!, "-out", file(`${name}.crt`)],
  ]);
  assert.equal(signed.code, 0, stderr + signed.stderr);
  return name;
}

/** The pairs of the development certificates, where a server has made them. */
export const [development, clients] = ["certs/server", "certs/client"];

export const pem = (name: string) => readFileSync(file(`${name}.crt`), "utf8");
export const pair = (cert: string, key = cert) => [
  ...["--cert", file(`${cert}.crt`)],
  ...["--key", file(`${key}.key`)],
];
export const ca = (name: string) => ["--ca", file(`${name}.crt`)];

export type Peer = { port: string; received(): string };
type Serve<Socket> = (socket: Socket, reset: () => void) => void;

const peers: Peer[] = [];
const open = new Set<net.Server | net.Socket>();
after(() => open.forEach((one) => ("destroy" in one ? one.destroy() : one.close())));

/**
 * A TLS server that does as it is told, and echoes where it isn't. It is bad enough for old versions and
 * weak keys, keeps what it gets, and notes the names that clients ask for (SNI).
 * @param chain its certificates, its own first
 * @param serve is given how to reset the connection as well
 */
export function tlsServer(
  chain: string[],
  serve: Serve<tls.TLSSocket> = (socket) => socket.pipe(socket),
  options: tls.TlsOptions = {},
) {
  const key = readFileSync(file(`${chain[0]}.key`));
  const bad = { minVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
  const all = { cert: chain.map(pem).join(""), key, allowHalfOpen: true, ...bad, ...options };
  return serving(tls.createServer(all), "secureConnection", serve);
}

/** A server without TLS that does as it is told. */
export function plainServer(serve: Serve<net.Socket>) {
  return serving(net.createServer(), "connection", serve);
}

async function serving<S extends net.Socket>(server: net.Server, event: string, serve: Serve<S>) {
  const received: Buffer[] = [];
  const asked: unknown[] = [];
  const connections = new Map<number | undefined, net.Socket>(); // below TLS, by the client's port
  server.on("connection", (socket) => connections.set(socket.remotePort, socket));
  server.on(event, (socket: S & { servername?: unknown }) => {
    const connection = connections.get(socket.remotePort)!;
    asked.push(socket.servername);
    socket.on("error", () => {}).on("data", (chunk) => received.push(chunk));
    serve(socket, () => connection.resetAndDestroy());
  });
  const peer = { received: () => Buffer.concat(received).toString("latin1"), asked };
  const all = { ...peer, port: await portOf(server) };
  peers.push(all);
  return all;
}

/** Lets a server of this process listen, on a free port, until the tests are over. */
export async function portOf(server: net.Server): Promise<string> {
  open.add(server.on("connection", (socket: net.Socket) => open.add(socket)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return String((server.address() as net.AddressInfo).port);
}

/** `openssl s_server`, on a port of its own choice. */
export async function opensslServer(name: string, args: string[] = []) {
  const own = ["-cert", file(`${name}.crt`), "-key", file(`${name}.key`)];
  const server = start("openssl", ["s_server", "-accept", "127.0.0.1:0", ...own, ...args]);
  const [, port] = await server.prints(/^ACCEPT .*:(\d+)$/m);
  const peer = { ...server, port: port!, received: server.stdout };
  peers.push(peer);
  return peer;
}

/** A server that can't choose a port by itself: where somebody was quicker, it gets another. */
export async function onSomePort(command: string, args: (port: string) => string[], ready: RegExp) {
  for (let tries = 0; tries < 10; tries++) {
    const port = await freePort();
    const server = start(command, args(port));
    const [said] = await server.prints(new RegExp(`${ready.source}|in use`));
    if (!said.endsWith("in use")) return { ...server, port };
    server.child.kill();
  }
  assert.fail(`ten ports in a row were in use, says ${command}`);
}

/** All that comes until the other side ends. */
export async function drain(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The arguments with which the client goes to such a server, and trusts this CA. */
export const to = ({ port }: { port: string }, trusted = "root") => [
  "--port",
  port,
  ...ca(trusted),
];

export const MESSAGE = "for your eyes only";

/** The client refuses, or is refused (see refused), and no server here has got anything of its message. */
export async function refuses(cases: Refusal[], how: How = {}) {
  const all = cases.map<Refusal>(([args, ...words]) => [[...args, MESSAGE], ...words]);
  const lines = await refused("tls-client", all, how);
  for (const { received } of peers) assert.ok(!received().includes(MESSAGE));
  return lines;
}

/** The server doesn't start; where a case names no port, it would have had a free one. */
export function refusesToStart(cases: Refusal[], how: How = {}) {
  const all = cases.map<Refusal>(([args, ...words]) => [["--port", "0", ...args], ...words]);
  return refused("server", all, how);
}

/** The server refuses a client, `openssl s_client`, before any data; its log says why in a line. */
export async function refusesClient(server: Server, args: string[], alert: RegExp, line: RegExp) {
  const to = ["-connect", `127.0.0.1:${server.port}`];
  const client = start("openssl", ["s_client", "-quiet", "-no_ign_eof", ...to, ...args]);
  client.child.stdin!.write("not for you\n");
  assert.notEqual(await client.exit, 0);
  assert.match(client.stderr(), alert);
  assert.equal(client.stdout(), "");
  await server.prints(line);
  assert.doesNotMatch(server.stdout(), /Client connected/);
}
