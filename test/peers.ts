// What the tests of connections share: a CA and certificates, servers good and bad, and what it means that
// the client or the server refuses. The certificates are made here with openssl.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { networkInterfaces } from "node:os";
import { after, before } from "node:test";
import * as tls from "node:tls";
import { inScratch as file, needs, run, runEach } from "./helpers.ts";

export const MESSAGE = "for your eyes only";
export const openssl = needs("openssl");
const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
export const ipv6 = {
  skip: !interfaces.some(({ address }) => address === "::1") && "no IPv6 here",
};
const open = new Set<net.Server | net.Socket>();
after(() => open.forEach((one) => ("destroy" in one ? one.destroy() : one.close())));

const NEXT_CA = "basicConstraints = critical, CA:TRUE";
const LOCALHOST = "subjectAltName = DNS:localhost, IP:127.0.0.1";
const NAMES = `subjectAltName = DNS:evil.test, DNS:*.example.test, DNS:f*.partial.test,
  DNS:xn--bcher-kva.example, DNS:UPPER.Case.test`.replace(/\n\s*/, " ");

/** Issues NAME.crt, for NAME.key, as the CA would: itself, where it is its own. */
async function issue(name: string, ca: string, extensions: string, more: string[] = []) {
  const [key, request, config] = [`${name}.key`, `${name}.csr`, `${name}.cnf`].map(file);
  await run("openssl", [
    ...["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ...["-subj", `/CN=${name}.test`, "-keyout", key!, "-out", request!],
  ]);
  writeFileSync(file(`${name}.index`), "");
  writeFileSync(
    config!,
    `[ca]\ndefault_ca = d\n[d]\ndatabase = ${file(`${name}.index`)}\nnew_certs_dir = ${file("")}
policy = p\nrand_serial = yes\nunique_subject = no\n[p]\ncommonName = supplied\n[e]\n${extensions}\n`,
  );
  const { code, stderr } = await run("openssl", [
    ...["ca", "-batch", "-notext", "-md", "sha256", "-config", config!, "-extensions", "e"],
    ...["-startdate", "20250101000000Z", "-enddate", "20450101000000Z", ...more],
    ...["-keyfile", file(`${ca}.key`), "-in", request!, "-out", file(`${name}.crt`)],
    ...(ca === name ? ["-selfsign"] : ["-cert", file(`${ca}.crt`)]),
  ]);
  assert.equal(code, 0, stderr);
}

before(async () => {
  if (openssl.skip) return;
  await Promise.all([
    issue("root", "root", NEXT_CA),
    issue("other", "other", NEXT_CA),
    issue("flat", "flat", `${NEXT_CA}, pathlen:0`),
  ]);
  await Promise.all([
    issue("good", "root", LOCALHOST),
    issue("names", "root", NAMES),
    issue("common", "root", "subjectAltName = email:a@example.test"),
    issue("strange", "root", `${LOCALHOST}\n1.2.3.4 = critical, ASN1:NULL`),
    issue("middle", "root", NEXT_CA),
    issue("old", "root", NEXT_CA, ["-enddate", "20250201000000Z"]),
    issue("narrow", "root", `${NEXT_CA}\nnameConstraints = critical, permitted;DNS:example.test`),
    issue("below", "flat", NEXT_CA),
  ]);
  const issuers = ["middle", "old", "narrow", "below"];
  await Promise.all(issuers.map((ca) => issue(`by-${ca}`, ca, LOCALHOST)));
});

export const pem = (name: string) => readFileSync(file(`${name}.crt`), "utf8");
export const pair = (cert: string, key = cert) => [
  "--cert",
  file(`${cert}.crt`),
  "--key",
  file(`${key}.key`),
];

/** A TLS server in this process; it keeps what it gets, and the names that clients ask for (SNI). */
export async function peer(
  chain: string[],
  serve = (socket: net.Socket) => void socket.pipe(socket),
) {
  const [received, asked]: [Buffer[], unknown[]] = [[], []];
  const key = readFileSync(file(`${chain[0]}.key`));
  const options = { cert: chain.map(pem).join(""), key, allowHalfOpen: true };
  const server = tls.createServer(options, (socket) => {
    asked.push(socket.servername);
    socket.on("error", () => {}).on("data", (chunk) => received.push(chunk));
    serve(socket);
  });
  return { port: await portOf(server), received: () => String(Buffer.concat(received)), asked };
}

export async function portOf(server: net.Server): Promise<string> {
  open.add(server.on("connection", (socket: net.Socket) => open.add(socket)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return String((server.address() as net.AddressInfo).port);
}

/** The client is refused, or refuses: with one line, and before it has sent anything. */
export async function refuses(cases: [string[], ...RegExp[]][], status = 1) {
  const results = await runEach(
    "tls-client",
    cases.map(([args]) => [...args, MESSAGE]),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, ...words] = cases[i]!;
    assert.match(stderr, /^tls-client: [^\n]*[^\s:]\n$/);
    assert.doesNotMatch(
      stderr,
      /\b([A-Z0-9]+_[A-Z0-9_]+|E(CONN|ADDR|NET|HOST|INVAL|PIPE)[A-Z]*|UNSPECIFIED)\b/,
    ); // no bare code
    for (const word of words) assert.match(stderr, word, `${args}: ${stderr}`);
    assert.deepEqual([stdout, code], ["", status], `${args}: ${stderr}`);
  }
  return results.map(({ stderr }) => stderr);
}

export const ca = (name: string) => ["--ca", file(`${name}.crt`)];
export const named = (name: string) => ["--host", "127.0.0.1", "--servername", name];

/** The server doesn't start: one line, within seconds. */
export async function refusesToStart(cases: string[][], ...words: RegExp[]) {
  const options = { timeout: 10_000 };
  const all = cases.map((args) => ["--port", "0", ...args]);
  for (const { code, stdout, stderr } of await runEach("server", all, options)) {
    assert.equal(stdout, "");
    assert.match(stderr, /^server: [^\n]*\n$/);
    for (const word of words) assert.match(stderr, word);
    assert.equal(code, 1);
  }
}
