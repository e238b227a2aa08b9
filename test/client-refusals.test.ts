// What the client must refuse: a bench of bad servers, with certificates that openssl makes here. Each
// is one line and exit 1, within the timeout, and no byte of the message reaches the server.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import {
  ENV,
  certs,
  freePort,
  inScratch,
  needs,
  run,
  runEach,
  runScript,
  start,
  startScript,
  startServer,
} from "./helpers.ts";

ENV.NODE_V8_COVERAGE = ""; // counted elsewhere: it takes a quarter of a process's time
const MESSAGE = "for your eyes only";
const openssl = needs("openssl");
const file = inScratch;
const servers: { close(): void }[] = [];
after(() => servers.forEach((server) => server.close()));

const FROM = "20250101000000Z";
const UNTIL = "20450101000000Z";
const EC = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]; // made in no time
type Leaf = {
  ca?: string;
  names?: string;
  key?: string;
  md?: string;
  from?: string;
  until?: string;
};

/** Issues NAME.crt, for NAME.key, as a CA would: with `openssl ca`, which can set any dates. */
async function issue(name: string, { ca = "ca", names, key, md, from, until }: Leaf = {}) {
  const request = ["req", "-new", "-nodes", "-newkey", ...(key ? [key] : EC)];
  const files = ["-keyout", file(`${name}.key`), "-out", file(`${name}.csr`)];
  const { stderr } = await run("openssl", [...request, ...files, "-subj", `/CN=localhost`]);
  writeFileSync(
    file(`${name}.cnf`),
    `[ca]\ndefault_ca = d\n[d]\ndatabase = ${file(`${name}.index`)}\nnew_certs_dir = ${file("")}
policy = p\nrand_serial = yes\nunique_subject = no\n[p]\ncommonName = supplied\n[e]
basicConstraints = critical, ${name === "middle" ? "CA:TRUE" : "CA:FALSE"}
${names === "" ? "" : `subjectAltName = ${names ?? "DNS:localhost, IP:127.0.0.1"}`}\n`,
  );
  writeFileSync(file(`${name}.index`), "");
  const signed = await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", file(`${name}.cnf`), "-extensions", "e"],
    ...["-cert", file(`${ca}.crt`), "-keyfile", file(`${ca}.key`), "-md", md ?? "sha256"],
    ...["-startdate", from ?? FROM, "-enddate", until ?? UNTIL],
    ...["-in", file(`${name}.csr`), "-out", file(`${name}.crt`)],
  ]);
  assert.equal(signed.code, 0, stderr + signed.stderr);
}

async function selfSigned(name: string, subject: string, extensions: string[] = []) {
  await run("openssl", [
    ...["req", "-x509", "-nodes", "-newkey", ...EC, "-days", "30", "-subj", subject],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`)],
  ]);
}

before(async () => {
  if (openssl.skip) return;
  await Promise.all([
    selfSigned("ca", "/CN=the CA"),
    selfSigned("other-ca", "/CN=another CA"),
    selfSigned("self", "/CN=localhost", ["subjectAltName=DNS:localhost"]),
  ]);
  await Promise.all([
    issue("good"),
    issue("stranger", { ca: "other-ca" }),
    issue("expired", { until: "20250201000000Z" }),
    issue("future", { from: "20440101000000Z" }),
    issue("wrong", { names: "DNS:example.com, DNS:*.example.org" }),
    issue("cn-only", { names: "" }),
    issue("wildcard", { names: "DNS:*.localhost, DNS:*.example.org" }),
    issue("no-address", { names: "DNS:localhost, IP:192.0.2.1" }),
    issue("short", { key: "rsa:1024" }),
    issue("sha1", { md: "sha1" }),
    issue("client"),
  ]);
  await issue("by-leaf", { ca: "good" });
});

/** A TLS server, bad in some way; what it gets of the message, in clear or encrypted, is kept. */
async function badTls(name: string, options: tls.TlsOptions = {}, serve?: (s: net.Socket) => void) {
  const received: Buffer[] = [];
  const server = tls.createServer(
    {
      cert: readFileSync(file(`${name}.crt`)),
      key: readFileSync(file(`${name}.key`)),
      ciphers: "DEFAULT:@SECLEVEL=0",
      minVersion: "TLSv1",
      ...options,
    },
    (socket) => {
      socket.on("error", () => {}).on("data", (chunk) => received.push(chunk));
      serve?.(socket);
    },
  );
  return listening(server, received);
}

async function badPlain(serve: (socket: net.Socket) => void) {
  const received: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on("error", () => {}).on("data", (chunk) => received.push(chunk));
    serve(socket);
  });
  return listening(server, received);
}

async function listening(server: net.Server, received: Buffer[]) {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  servers.push({ close });
  const { port } = server.address() as net.AddressInfo;
  const reset = () => sockets.forEach((socket) => socket.resetAndDestroy());
  return { port: String(port), reset, received: () => Buffer.concat(received).toString("latin1") };
}

type Peer = { port: string; received(): string };

type Case = { peer: Peer; line: RegExp; args?: string[]; what?: string };

async function refuses(cases: Case[], env = {}) {
  const lines = cases.map(({ peer, args = [] }) => [...to(peer), ...args, MESSAGE]);
  const results =
    lines.length > 1
      ? await runEach("tls-client", lines, { env })
      : [await runScript("tls-client", lines[0]!, { env })]; // which ends, whatever may be open
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const { peer, line, what = "" } = cases[i]!;
    assert.match(stderr, line, `${what}: ${stderr}`);
    assert.match(stderr, /^tls-client: [^\n]*\n$/);
    assert.doesNotMatch(stderr, /\b[A-Z0-9]+_[A-Z0-9_]+\b/); // no bare code
    assert.deepEqual([stdout, code], ["", 1], what);
    assert.doesNotMatch(peer.received(), new RegExp(MESSAGE), what);
  }
}

const to = ({ port }: Peer) => ["--port", port, "--ca", file("ca.crt"), "--timeout", "2"];

test("the bench itself: a good server gets the message", openssl, async () => {
  const good = await badTls("good", {}, (socket) => socket.pipe(socket));
  const args = ["--port", good.port, "--ca", file("ca.crt"), MESSAGE];
  const { code, stdout } = await runScript("tls-client", args);
  assert.equal(stdout, `Response from server: ${MESSAGE}\n`);
  assert.equal(code, 0);
  assert.equal(good.received(), MESSAGE);
});

const plain: [string, (socket: net.Socket) => void, RegExp][] = [
  ["talks first", (socket) => socket.write("220 welcome\r\n"), /:\d+ does not speak TLS$/m],
  ["echoes", (socket) => socket.pipe(socket), /:\d+ does not speak TLS$/m],
  ["answers in HTTP", (socket) => socket.write("HTTP/1.1 400 Bad\r\n\r\n"), /does not speak TLS$/m],
  ["closes at once", (socket) => socket.end(), /closed the connection during the handshake/],
  ["resets", (s) => s.once("data", () => s.resetAndDestroy()), /reset the connection during/],
];
test("a plain server that stays silent", async () => {
  const line = /did not finish the handshake in time\. Does it speak TLS\?/;
  await refuses([{ peer: await badPlain(() => {}), line }]);
});

test("other plain servers", async () => {
  const cases = plain.map(async ([what, serve, line]) => {
    return { what, peer: await badPlain(serve), line };
  });
  await refuses(await Promise.all(cases));
});

test("nobody there", async () => {
  const peer = { port: await freePort(), received: () => "" };
  const elsewhere = ["--host", "nowhere.invalid"];
  await refuses([
    { peer, line: /nothing listens on localhost:\d+\. Start the server first/ },
    { peer, line: /there is no host named nowhere\.invalid/, args: elsewhere },
  ]);
});

const certificates: [string, string, RegExp, string[]?][] = [
  [
    "of an unknown CA",
    "stranger",
    /from an issuer that is not in --ca, or one between was not sent: see --inspect/,
  ],
  ["that is self-signed", "self", /is self-signed, and not in --ca$/m],
  ["that has expired", "expired", /has expired\. Its owner must renew it/],
  ["that is not valid yet", "future", /is not valid yet; is the clock right\?/],
  [
    "for other names",
    "wrong",
    /not for localhost, but for: DNS:example\.com, DNS:\*\.example\.org/,
  ],
  ["with a common name only", "cn-only", /not for localhost: it has no alternative names/],
  ["with a wildcard that doesn't match", "wildcard", /not for localhost, but for: DNS:\*\.localh/],
  [
    "with a wildcard, for a name of two levels",
    "wildcard",
    /not for a\.b\.example\.org, but for/,
    ["--servername", "a.b.example.org"],
  ],
  [
    "without the address",
    "no-address",
    /not for 127\.0\.0\.1, but for: DNS:localhost, IP Address:192\.0\.2\.1/,
    ["--host", "127.0.0.1"],
  ],
  ["issued with a leaf that is no CA", "by-leaf", /or its issuer's not for issuing \(no CA\)/],
  ["with an RSA key of 1024 bits", "short", /too weak a key or signature/],
  ["signed with SHA-1", "sha1", /too weak a key or signature/],
];
test("certificates, with an environment that switches verification off", openssl, async () => {
  const cases = certificates.map(async ([what, name, line, args]) => {
    const chain = name === "by-leaf" ? [name, "good"] : [name];
    const cert = chain.map((name) => readFileSync(file(`${name}.crt`), "utf8")).join("");
    return { what, peer: await badTls(name, { cert }), line, args };
  });
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" };
  await refuses(await Promise.all(cases), env);
});

test("TLS 1.1 only", openssl, async () => {
  const peer = await badTls("good", { maxVersion: "TLSv1.1" });
  await refuses([{ peer, line: /a version of TLS that is too old/ }]);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(
    `a client certificate that is missing, or from the wrong CA: ${version}`,
    openssl,
    async () => {
      const ca = readFileSync(file("other-ca.crt"));
      const peer = await badTls("good", { maxVersion: version, requestCert: true, ca });
      const given = ["--cert", file("client.crt"), "--key", file("client.key")];
      const wanted =
        /broke off the handshake: it may want a client certificate\. Use --cert and --key/;
      // Node's server just closes; openssl's says why.
      const s_server = await startOpenssl([
        "-Verify",
        "1",
        "-verify_return_error",
        "-CAfile",
        file("other-ca.crt"),
        version === "TLSv1.2" ? "-tls1_2" : "-tls1_3",
      ]);
      await refusesLater(s_server, wanted);
      await refusesLater(
        s_server,
        /refuses this client certificate: [a-z0-9/ ]+\. See --cert/i,
        given,
      );
      await refusesLater(
        peer,
        /closed the connection during|broke off before its answer|may want a client/,
      );
      s_server.child.kill();
    },
  );

/** As above; but in TLS 1.3 the refusal comes after a handshake that was fine for the client. */
async function refusesLater(peer: Peer, line: RegExp, args: string[] = []) {
  const all = [...to(peer), ...args, MESSAGE];
  const { code, stdout, stderr } = await runScript("tls-client", all);
  const [last, verified] = stderr.trim().split("\n").reverse();
  assert.match(last!, line);
  assert.match(verified ?? "Verified", /Verified/);
  assert.equal(stdout, "");
  assert.equal(code, 1);
  assert.doesNotMatch(peer.received(), new RegExp(MESSAGE));
}

/** `openssl s_server` on a port of its own choice. */
async function startOpenssl(args: string[], name = "good") {
  const pair = ["-cert", file(`${name}.crt`), "-key", file(`${name}.key`)];
  const server = start("openssl", ["s_server", "-accept", "127.0.0.1:0", ...pair, ...args]);
  servers.push({ close: () => server.child.kill() });
  const [, port] = await server.prints(/^ACCEPT .*:(\d+)$/m);
  return { ...server, port: port!, received: server.stdout };
}

test("cut off in mid-answer", openssl, async () => {
  const serve = (socket: net.Socket) => void socket.write("half an ans");
  const peer = await badTls("good", { allowHalfOpen: true }, serve);
  const args = ["--port", peer.port, "--ca", file("ca.crt")];
  for (const more of [[], ["-"]]) {
    const client = startScript("tls-client", [...args, ...more]);
    await client.prints(/half an ans$/);
    peer.reset();
    assert.equal(await client.exit, 1);
    assert.match(
      client.stdout(),
      more[0] ? /^half an ans$/ : /^Response from server: half an ans\n$/,
    );
    assert.match(client.stderr(), /^tls-client: .* broke off before its answer was complete$/m);
  }
});

test("an answer that never comes", openssl, async () => {
  const peer = await badTls("good", { allowHalfOpen: true });
  const args = ["--port", peer.port, "--ca", file("ca.crt"), "--timeout", "0.3"];
  const { code, stderr } = await runScript("tls-client", args);
  assert.match(
    stderr,
    /^tls-client: the answer of localhost:\d+ did not come in time; see --timeout$/m,
  );
  assert.equal(code, 1);
});

test("a client's certificate, used by a server", openssl, async () => {
  const server = await startServer();
  await server.stop(); // makes the certificates
  const peer = await badTls("good", {
    cert: readFileSync(`${certs}/client.crt`),
    key: readFileSync(`${certs}/client.key`),
  });
  const args = ["--ca", `${certs}/client.crt`];
  await refuses([{ peer, line: /is not for servers, or/, args }]);
});

test("trust is exact: --ca replaces every other root, and is never replaced", openssl, async () => {
  const server = await startServer();
  const args = ["--port", server.port];
  const untrusted = /is self-signed, and not (in --ca|trusted here\. To trust it, use --ca)$/m;
  const unread = /cannot read --(ca|cert) .*missing: no such file/;
  const cases: [string[], RegExp][] = [
    [["--ca", file("ca.crt")], untrusted], // the development certificate no longer counts
    [["--host", "0.0.0.0", "--servername", "localhost"], untrusted], // not a loopback name
    [["--ca", file("missing")], unread],
    [["--cert", file("missing"), "--key", file("missing")], unread],
  ];
  const results = await runEach(
    "tls-client",
    cases.map(([more]) => [...args, ...more]),
  );
  for (const [i, { stderr, code }] of results.entries()) {
    assert.match(stderr, cases[i]![1]);
    assert.equal(code, 1);
  }
  // A root of the environment's does not help where --ca says otherwise.
  const peer = await badTls("stranger");
  const env = { NODE_EXTRA_CA_CERTS: file("other-ca.crt") };
  await refuses([{ peer, line: /from an issuer that is not in --ca/ }], env);
  await server.stop();
});
