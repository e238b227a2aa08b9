// Names and files that the client trusts are checked whole; and what goes wrong is said in one line that
// blames the right thing. The certificates are made here with openssl.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import {
  ENV,
  freePort,
  inScratch as file,
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
const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const ipv6 = { skip: !interfaces.some(({ address }) => address === "::1") && "no IPv6 here" };
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

const pem = (name: string) => readFileSync(file(`${name}.crt`), "utf8");
const pair = (cert: string, key = cert) => [
  "--cert",
  file(`${cert}.crt`),
  "--key",
  file(`${key}.key`),
];

/** A TLS server in this process; it keeps what it gets, and the names that clients ask for (SNI). */
async function peer(chain: string[], serve = (socket: net.Socket) => void socket.pipe(socket)) {
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

async function portOf(server: net.Server): Promise<string> {
  open.add(server.on("connection", (socket: net.Socket) => open.add(socket)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return String((server.address() as net.AddressInfo).port);
}

/** The client is refused, or refuses: with one line, and before it has sent anything. */
async function refuses(cases: [string[], ...RegExp[]][], status = 1) {
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

const ca = (name: string) => ["--ca", file(`${name}.crt`)];
const named = (name: string) => ["--host", "127.0.0.1", "--servername", name];

test("a name in any of its forms is asked for and checked in one", openssl, async () => {
  const forms: [string, string][] = [
    ["Evil.TEST.", "evil.test"],
    ["upper.case.test", "upper.case.test"],
    ["foo。Example.test", "foo.example.test"], // U+3002, a full stop as well
    ["BÜCHER.example.", "xn--bcher-kva.example"],
  ];
  const { port, asked } = await peer(["names"]);
  const results = await runEach(
    "tls-client",
    forms.map(([form]) => ["--port", port, ...ca("root"), ...named(form)]),
  );
  for (const { code, stderr } of results) {
    assert.match(stderr, /^TLSv1\.3, [^\n]* Verified: [^\n]*\n$/);
    assert.equal(code, 0);
  }
  assert.deepEqual(
    asked,
    forms.map(([, name]) => name),
  );
});

test("a name that the certificate is not for, whatever its form", openssl, async () => {
  const [names, common] = [await peer(["names"]), await peer(["common"])];
  const wrong: [string, typeof names][] = [
    ["example.test", names],
    ["a.b.example.test", names],
    ["foo.partial.test", names], // a wildcard stands for a whole label
    ["names.test", names],
    ["common.test", common], // and the common name for nothing, not even without another name
  ];
  await refuses(
    wrong.map(([name, { port }]) => [
      ["--port", port, ...ca("root"), ...named(name)],
      /certificate/,
    ]),
  );
  assert.equal(names.received() + common.received(), "");
});

test("what has no place in a name is refused, never cut off", openssl, async () => {
  const [names, good] = [await peer(["names"]), await peer(["good"])];
  const cases = [
    ...["evil.test/.x.test", "evil.test:443", "evil.test\t"].map((name) => [
      ...["--port", names.port, ...named(name)],
    ]),
    ...["localhost/.x.test", "localhost%20"].map((host) => ["--port", good.port, "--host", host]),
  ];
  await refuses(
    cases.map((args) => [[...args, ...ca("root")]]),
    2,
  );
  assert.equal(names.received() + good.received(), "");
});

test("localhost in any of its forms is this machine", async () => {
  const server = await startServer();
  const hosts = ["LOCALHOST.", "localhost。"];
  const cases = hosts.map((host) => ["--port", server.port, "--host", host]);
  for (const { code, stdout, stderr } of await runEach("tls-client", cases))
    assert.deepEqual([stdout, code], ["Response from server: Hello, server!\n", 0], stderr);
  await server.stop();
});

test("an IPv6 address in brackets, as the server prints it", ipv6, async () => {
  const server = await startServer(["--host", "::1"]);
  const { code, stdout } = await runScript("tls-client", [
    "--port",
    server.port,
    "--host",
    "[::1]",
  ]);
  assert.equal(stdout, "Response from server: Hello, server!\n");
  assert.equal(code, 0);
  await server.stop();
});

test("a host with a port or a scheme is a usage error that says what to use", async () => {
  const hosts = ["localhost:5000", "https://localhost/"];
  await refuses(
    hosts.map((host) => [["--host", host], /--host/, /--port/]),
    2,
  );
});

/** The server doesn't start: one line, within seconds. */
async function refusesToStart(cases: string[][], ...words: RegExp[]) {
  const options = { timeout: 10_000 };
  const all = cases.map((args) => ["--port", "0", ...args]);
  for (const { code, stdout, stderr } of await runEach("server", all, options)) {
    assert.equal(stdout, "");
    assert.match(stderr, /^server: [^\n]*\n$/);
    for (const word of words) assert.match(stderr, word);
    assert.equal(code, 1);
  }
}

test(
  "a damaged certificate anywhere in a file: the file is named, and which one",
  openssl,
  async () => {
    const lines = pem("other").split("\n");
    const damages = {
      content: pem("other").replace(/\nMI/, "\nAA"),
      cut: lines.slice(0, 4).join("\n") + "\n",
      empty: `${lines[0]}\n-----END CERTIFICATE-----\n`,
    };
    const second = /\b2\b|second/;
    for (const [kind, damaged] of Object.entries(damages))
      writeFileSync(file(`${kind}.pem`), pem("good") + damaged + pem("root"));
    await refuses(
      Object.keys(damages).map((kind) => [
        ["--ca", file(`${kind}.pem`)],
        new RegExp(`${kind}\\.pem`),
        second,
      ]),
    );
    const bundle = file("content.pem");
    const own = ["--cert", bundle, "--key", file("good.key")];
    await refusesToStart([["--client-ca", bundle], own], /content\.pem/, second);
  },
);

test("a good bundle, with text between, is trusted to its last certificate", openssl, async () => {
  const text = "subject: one of many\n# a comment\n";
  writeFileSync(
    file("bundle.pem"),
    `\n${text}${pem("other")}${text}${pem("flat")}${text}${pem("root")}`,
  );
  const { port } = await peer(["good"]);
  const bundle = ["--ca", file("bundle.pem")];
  assert.equal((await runScript("tls-client", ["--port", port, ...bundle])).code, 0);
  const server = await startServer(["--client-ca", file("bundle.pem")]);
  const client = await runScript("tls-client", ["--port", server.port, ...pair("good")]);
  assert.equal(client.stdout, "Response from server: Hello, server!\n");
  await server.stop();
});

test(
  "keys: encrypted is what is encrypted, and not what says so in a comment",
  openssl,
  async () => {
    const key = readFileSync(file("good.key"), "utf8");
    writeFileSync(file("comment.key"), `# UNENCRYPTED, or ENCRYPTED no more\n${key}`);
    const encrypt = (form: string, out: string) =>
      run("openssl", [
        ...["pkey", "-in", file("good.key"), form, "-aes256", "-passout", "pass:x"],
        ...["-out", file(`${out}.key`)],
      ]);
    await Promise.all([encrypt("-text", "pkcs8"), encrypt("-traditional", "traditional")]);
    const server = await startServer(pair("good", "comment"));
    assert.equal((await runScript("tls-client", ["--port", server.port, ...ca("root")])).code, 0);
    await server.stop();
    const encrypted = ["pkcs8", "traditional"];
    for (const name of encrypted)
      assert.match(readFileSync(file(`${name}.key`), "utf8"), /ENCRYPTED/);
    await refuses(
      encrypted.map((name) => [pair("good", name), new RegExp(`${name}\\.key is encrypted`)]),
    );
  },
);

test("a chain file with the CA first: its order is wrong", openssl, async () => {
  writeFileSync(file("reversed.crt"), pem("root") + pem("good"));
  await refusesToStart([pair("reversed", "good")], /reversed\.crt/, /order|first/);
  await refuses([[pair("reversed", "good"), /order|first/]]);
});

const chains: [string, string[], string, RegExp[]][] = [
  ["a root that is sent, but not trusted", ["by-middle", "middle", "root"], "other", [/trust/]],
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

test("addresses that can't be reached from here: one line, with a reason", async () => {
  const port = ["--port", await freePort()];
  const hosts = ["localhost", "255.255.255.255", ...(ipv6.skip ? [] : ["fe80::1"])];
  // The kernel itself refuses the last two: nothing is sent.
  await refuses(hosts.map((host) => [["--host", host, ...port], new RegExp(host)]));
});
