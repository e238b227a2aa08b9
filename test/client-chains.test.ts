// What goes wrong in a handshake, said in one line that blames the right thing: chains, alerts, demands.
import assert from "node:assert/strict";
import * as net from "node:net";
import { test } from "node:test";
import { inScratch, needs, start, startScript } from "./helpers.ts";
import { issue, openssl, opensslServer, portOf, refuses, tlsServer, to } from "./peers.ts";

const chains: [string, string[], string, RegExp[]][] = [
  [
    "a root that is sent, but not trusted",
    ["by-middle", "middle", "root"],
    "other",
    [/a root that is not in --ca/],
  ],
  ["an issuer that is not sent", ["by-middle"], "root", [/issuer|intermediate|chain/]],
  ["an expired issuer", ["by-old", "old"], "root", [/expired/]],
  ["an issuer for other names only", ["by-narrow", "narrow"], "root", [/--inspect/]],
  ["a CA that must have no other below it", ["by-below", "below"], "flat", [/--inspect/]],
  ["an unknown critical extension", ["strange"], "root", [/extension/, /--inspect/]],
];

test("chains that can't be trusted", openssl, async () => {
  const narrow = "nameConstraints = critical, permitted;DNS:example.test";
  await Promise.all([
    issue("other", { by: "other", constraints: "CA:TRUE" }),
    issue("flat", { by: "flat", constraints: "CA:TRUE, pathlen:0" }),
    issue("middle", { constraints: "CA:TRUE" }),
    issue("old", { constraints: "CA:TRUE", until: "20250201000000Z" }),
    issue("narrow", { constraints: "CA:TRUE", extensions: narrow }),
    issue("strange", { extensions: "1.2.3.4 = critical, ASN1:NULL" }),
  ]);
  await issue("below", { by: "flat", constraints: "CA:TRUE" });
  await Promise.all(["middle", "old", "narrow", "below"].map((by) => issue(`by-${by}`, { by })));
  const peers = await Promise.all(chains.map(([, chain]) => tlsServer(chain)));
  const lines = await refuses(
    chains.map(([, , trusted, words], i) => [to(peers[i]!, trusted), /certificate/, ...words]),
  );
  for (const [i, [what]] of chains.entries()) {
    assert.doesNotMatch(lines[i]!, /the certificate of \S+ (is self-signed|has expired)/, what);
    assert.equal(peers[i]!.received(), "", what);
  }
});

// Answers every greeting (ClientHello) with the TLS alert that it names (RFC 8446, section 6).
const ALERTS = `
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.sni_callback = lambda connection, name, *_: int(name[len("alert-"):])
server = socket.create_server(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
while True:
    try:
        context.wrap_socket(server.accept()[0], server_side=True)
    except OSError:
        pass
`;

const alerts: [string, number, RegExp[]][] = [
  ["unrecognized_name", 112, [/--servername/]],
  ["internal_error", 80, [/--servername/]],
  ["handshake_failure", 40, [/--cert/, / or /]],
  ["bad_certificate", 42, [/--cert/]],
  ["unknown_ca", 48, [/--cert/]],
  ["certificate_required", 116, [/--cert/]],
];
test("a CA whose key is too weak proves nothing", openssl, async () => {
  await issue("weak CA", { by: "weak CA", constraints: "CA:TRUE", key: "rsa:1024" });
  const peer = await tlsServer([await issue("below it", { by: "weak CA" })]);
  await refuses([[to(peer, "weak CA"), /too weak/]]);
});

test("alerts, to a client without a certificate", needs("python3"), async () => {
  const server = start("python3", ["-c", ALERTS]);
  const [, port] = await server.prints(/^port (\d+)$/m);
  const lines = await refuses(
    alerts.map(([, number, words]) => [
      ["--port", port!, "--servername", `alert-${number}`],
      ...words,
    ]),
  );
  for (const [i, line] of lines.entries())
    assert.doesNotMatch(line, /speak TLS|refuses this client certificate/, alerts[i]![0]);
  server.child.kill();
});

const demands: [string, string[], RegExp][] = [
  ["another name", ["-servername", "other.test", "-servername_fatal"], /--servername/],
  ["a certificate, TLS 1.2", ["-tls1_2", "-Verify", "1"], /--cert/],
  ["a certificate, TLS 1.3", ["-tls1_3", "-Verify", "1"], /--cert/],
];
for (const [name, more, word] of demands)
  test(`openssl s_server wants ${name}`, openssl, async () => {
    const other = ["-cert2", inScratch("good.crt"), "-key2", inScratch("good.key")];
    const server = await opensslServer(await issue("good"), [...other, ...more]);
    const [line] = await refuses([[to(server), word]], { verified: true });
    assert.doesNotMatch(line!, /refuses this client certificate/);
    server.child.kill();
  });

test(
  "what is not TLS any more, behind a verified answer, is said to be that",
  openssl,
  async () => {
    const answers = await tlsServer(
      [await issue("good")],
      (socket) => void socket.write("half an ans"),
    );
    let spoil = () => {};
    const between = net.createServer((client) => {
      const server = net.connect(+answers.port, "127.0.0.1");
      client
        .on("error", () => {})
        .pipe(server.on("error", () => {}))
        .pipe(client);
      spoil = () => client.write("HTTP/1.1 500 out of the blue\r\n\r\n");
    });
    const client = startScript("tls-client", to({ port: await portOf(between) }));
    await client.prints(/half an ans/);
    spoil();
    assert.equal(await client.exit, 1);
    assert.equal(client.stdout(), "Response from server: half an ans\n");
    assert.match(client.stderr(), /\ntls-client: [^\n]*TLS[^\n]*\n$/);
    assert.doesNotMatch(client.stderr(), /does not speak TLS/);
  },
);
