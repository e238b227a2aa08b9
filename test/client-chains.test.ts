// What goes wrong in a handshake, said in one line that blames the right thing: chains, alerts, demands.
import assert from "node:assert/strict";
import * as net from "node:net";
import { test } from "node:test";
import { ENV, inScratch as file, needs, runScript, start, startScript } from "./helpers.ts";
import { MESSAGE, ca, openssl, peer, portOf, refuses } from "./peers.ts";

ENV.NODE_V8_COVERAGE = ""; // counted elsewhere: it takes a quarter of a process's time

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
  const peers = await Promise.all(chains.map(([, chain]) => peer(chain)));
  const lines = await refuses(
    chains.map(([, , trusted, words], i) => [
      ["--port", peers[i]!.port, ...ca(trusted)],
      /certificate/,
      ...words,
    ]),
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
    const own = ["-cert", file("good.crt"), "-key", file("good.key")];
    const other = ["-cert2", file("good.crt"), "-key2", file("good.key")];
    const server = start("openssl", [
      "s_server",
      "-accept",
      "127.0.0.1:0",
      ...own,
      ...other,
      ...more,
    ]);
    const [, port] = await server.prints(/^ACCEPT .*:(\d+)$/m);
    const args = ["--port", port!, ...ca("root"), MESSAGE];
    const { code, stdout, stderr } = await runScript("tls-client", args);
    assert.match(stderr, /^(TLSv1\.3, [^\n]*\n)?tls-client: [^\n]*\n$/);
    assert.match(stderr, word);
    assert.doesNotMatch(stderr, /refuses this client certificate/);
    assert.deepEqual([stdout, code], ["", 1]);
    server.child.kill();
  });

test(
  "what is not TLS any more, behind a verified answer, is said to be that",
  openssl,
  async () => {
    const answers = await peer(["good"], (socket) => void socket.write("half an ans"));
    let spoil = () => {};
    const between = net.createServer((client) => {
      const server = net.connect(+answers.port, "127.0.0.1");
      client
        .on("error", () => {})
        .pipe(server.on("error", () => {}))
        .pipe(client);
      spoil = () => client.write("HTTP/1.1 500 out of the blue\r\n\r\n");
    });
    const client = startScript("tls-client", ["--port", await portOf(between), ...ca("root")]);
    await client.prints(/half an ans/);
    spoil();
    assert.equal(await client.exit, 1);
    assert.equal(client.stdout(), "Response from server: half an ans\n");
    assert.match(client.stderr(), /\ntls-client: [^\n]*TLS[^\n]*\n$/);
    assert.doesNotMatch(client.stderr(), /does not speak TLS/);
  },
);
