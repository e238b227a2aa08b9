// What the client must refuse: servers that are bad in some way. Each is one line and exit 1, within the
// timeout, and no byte of the message reaches the server.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { freePort, inScratch, runScript, startScript, startServer, uncounted } from "./helpers.ts";
import {
  ca,
  clients,
  issue,
  openssl,
  opensslServer,
  pair,
  pem,
  plainServer,
  refuses,
  tlsServer,
  to,
} from "./peers.ts";

uncounted();

test("the bench itself: a good server gets the message", openssl, async () => {
  const good = await tlsServer([await issue("good")]);
  const { code, stdout } = await runScript("tls-client", [...to(good), "for all to see"]);
  assert.equal(stdout, "Response from server: for all to see\n");
  assert.equal(code, 0);
  assert.equal(good.received(), "for all to see");
});

const plain: [string, (socket: Socket, reset: () => void) => void, RegExp][] = [
  ["talks first", (socket) => socket.write("220 welcome\r\n"), /:\d+ does not speak TLS$/m],
  ["echoes", (socket) => socket.pipe(socket), /:\d+ does not speak TLS$/m],
  ["answers in HTTP", (socket) => socket.write("HTTP/1.1 400 Bad\r\n\r\n"), /does not speak TLS$/m],
  ["closes at once", (socket) => socket.end(), /closed the connection during the handshake/],
  ["resets", (socket, reset) => socket.once("data", reset), /reset the connection during/],
];
test("a plain server that stays silent", async () => {
  const { port } = await plainServer(() => {});
  const line = /did not finish the handshake in time\. Does it speak TLS\?/;
  await refuses([[["--port", port, "--timeout", "2"], line]]);
});

test("other plain servers", async () => {
  const cases = plain.map(async ([, serve, line]) => {
    const { port } = await plainServer(serve);
    return [["--port", port], line] as [string[], RegExp];
  });
  await refuses(await Promise.all(cases));
});

test("nobody there", async () => {
  const port = ["--port", await freePort()];
  await refuses([
    [port, /nothing listens on localhost:\d+\. Start the server first/],
    [[...port, "--host", "nowhere.invalid"], /there is no host named nowhere\.invalid/],
  ]);
});

// In dates, names and all else as a good one, but for what is said here.
const certificates: [string, Parameters<typeof issue>, RegExp, string[]?][] = [
  [
    "of an unknown CA",
    ["stranger", { by: "other-ca" }],
    /from an issuer that is not in --ca, or one between was not sent: see --inspect/,
  ],
  ["that is self-signed", ["self", { by: "self" }], /is self-signed, and not in --ca$/m],
  [
    "that has expired",
    ["expired", { until: "20250201000000Z" }],
    /has expired\. Its owner must renew it/,
  ],
  [
    "that is not valid yet",
    ["future", { from: "20440101000000Z" }],
    /is not valid yet; is the clock right\?/,
  ],
  [
    "for other names",
    ["wrong", { names: "DNS:example.com, DNS:*.example.org" }],
    /not for localhost, but for: DNS:example\.com, DNS:\*\.example\.org/,
  ],
  [
    "with a common name only",
    ["cn-only", { names: "" }],
    /not for localhost: it has no alternative names/,
  ],
  [
    "with a wildcard that doesn't match",
    ["wildcard", { names: "DNS:*.localhost, DNS:*.example.org" }],
    /not for localhost, but for: DNS:\*\.localh/,
  ],
  [
    "with a wildcard, for a name of two levels",
    ["wildcard"],
    /not for a\.b\.example\.org, but for/,
    ["--servername", "a.b.example.org"],
  ],
  [
    "without the address",
    ["no-address", { names: "DNS:localhost, IP:192.0.2.1" }],
    /not for 127\.0\.0\.1, but for: DNS:localhost, IP Address:192\.0\.2\.1/,
    ["--host", "127.0.0.1"],
  ],
  [
    "issued with a leaf that is no CA",
    ["by-leaf", { by: "good" }],
    /or its issuer's not for issuing \(no CA\)/,
  ],
  ["with an RSA key of 1024 bits", ["short", { key: "rsa:1024" }], /too weak a key or signature/],
  ["signed with SHA-1", ["sha1", { md: "sha1" }], /too weak a key or signature/],
];
test("certificates, with an environment that switches verification off", openssl, async () => {
  await issue("good");
  const cases = certificates.map(async ([, about, line, args = []]) => {
    const name = await issue(...about);
    const peer = await tlsServer(name === "by-leaf" ? [name, "good"] : [name]);
    return [[...to(peer), ...args], line] as [string[], RegExp];
  });
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" };
  await refuses(await Promise.all(cases), { env });
});

test("TLS 1.1 only", openssl, async () => {
  const peer = await tlsServer([await issue("good")], undefined, { maxVersion: "TLSv1.1" });
  await refuses([[to(peer), /a version of TLS that is too old/]]);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(
    `a client certificate that is missing, or from the wrong CA: ${version}`,
    openssl,
    async () => {
      await Promise.all([issue("good"), issue("client"), issue("stranger", { by: "other-ca" })]);
      const wanted =
        /broke off the handshake: it may want a client certificate\. Use --cert and --key/;
      const unwanted = /refuses this client certificate: [a-z0-9/ ]+\. See --cert/i;
      // Node's server just closes; openssl's says why.
      const says = await opensslServer("good", [
        ...["-Verify", "1", "-verify_return_error", "-CAfile", inScratch("other-ca.crt")],
        version === "TLSv1.2" ? "-tls1_2" : "-tls1_3",
      ]);
      const closes = await tlsServer(["good"], undefined, {
        maxVersion: version,
        requestCert: true,
        ca: pem("other-ca"),
      });
      const closed = /closed the connection during|broke off before its answer|may want a client/;
      const cases: [string[], RegExp][] = [
        [to(says), wanted],
        [[...to(says), ...pair("client")], unwanted],
        [to(closes), closed],
      ];
      await refuses(cases, { verified: true });
      says.child.kill();
    },
  );

test("cut off in mid-answer", openssl, async () => {
  let cut = () => {};
  const peer = await tlsServer([await issue("good")], (socket, reset) => {
    cut = reset;
    socket.write("half an ans");
  });
  for (const more of [[], ["-"]]) {
    const client = startScript("tls-client", [...to(peer), ...more]);
    await client.prints(/half an ans$/);
    cut();
    assert.equal(await client.exit, 1);
    assert.match(
      client.stdout(),
      more[0] ? /^half an ans$/ : /^Response from server: half an ans\n$/,
    );
    assert.match(client.stderr(), /^tls-client: .* broke off before its answer was complete$/m);
  }
});

test("an answer that never comes", openssl, async () => {
  const peer = await tlsServer([await issue("good")], () => {});
  const args = [...to(peer), "--timeout", "2"];
  const { code, stderr } = await runScript("tls-client", args);
  assert.match(
    stderr,
    /^tls-client: the answer of localhost:\d+ did not come in time; see --timeout$/m,
  );
  assert.equal(code, 1);
});

test("a client's certificate, used by a server", openssl, async () => {
  await startServer().then((server) => server.stop()); // makes the certificates
  const peer = await tlsServer([clients]);
  await refuses([[to(peer, clients), /is not for servers, or/]]);
});

test("trust is exact: --ca replaces every other root, and is never replaced", openssl, async () => {
  const server = await startServer();
  const args = ["--port", server.port];
  const untrusted = /is self-signed, and not (in --ca|trusted here\. To trust it, use --ca)$/m;
  const unread = /cannot read --(ca|cert) .*missing\.crt: no such file/;
  await issue("stranger", { by: "other-ca" });
  await refuses([
    [[...args, ...ca("other-ca")], untrusted], // the development certificate no longer counts
    [[...args, "--host", "0.0.0.0", "--servername", "localhost"], untrusted], // not a loopback name
    [[...args, ...ca("missing")], unread],
    [[...args, ...pair("missing")], unread],
  ]);
  // A root of the environment's does not help where --ca says otherwise.
  await issue("good");
  const peer = await tlsServer(["stranger"]);
  const env = { NODE_EXTRA_CA_CERTS: inScratch("other-ca.crt") };
  await refuses([[to(peer), /from an issuer that is not in --ca/]], { env });
  await server.stop();
});
