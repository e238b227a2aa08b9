// Whom tls-client.ts trusts, by whose word, and what it shows of it.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import {
  ENV,
  TSX,
  certs,
  inScratch,
  needs,
  refused,
  root,
  run,
  runScript,
  startServer,
  type Refusal,
  type Server,
} from "./helpers.ts";
import { clients, development, pair, refuses, tlsServer } from "./peers.ts";

let server: Server; // it makes the development certificates
before(async () => (server = await startServer()));

test("an address as the host is checked as an address", async () => {
  const { code } = await runScript("tls-client", ["--port", server.port, "--host", "127.0.0.1"]);
  assert.equal(code, 0);
});

test("a name that the certificate is not for is refused, and the names are given", async () => {
  const line =
    /is not for example\.com, but for: DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\. See --servername$/m;
  await refuses([[["--port", server.port, "--servername", "example.com"], line]]);
});

test("without the development certificate, a server on this machine is not trusted", async () => {
  mkdirSync(inScratch("empty"));
  const env = { DEV_CERTS_DIR: inScratch("empty") };
  const line = /is self-signed, and not trusted here\. To trust it, use --ca/;
  await refuses([[["--port", server.port], line]], { env });
});

test("a development certificate that can't be read is an error, not another trust", async () => {
  mkdirSync(inScratch("broken"));
  writeFileSync(inScratch("broken/server.crt"), "nonsense");
  const env = { DEV_CERTS_DIR: inScratch("broken") };
  const line = /^tls-client: development certificate .*server\.crt holds no certificate/;
  await refuses([[["--port", server.port], line]], { env });
});

test("mutual TLS with the development client certificate", async () => {
  const strict = await startServer(["--client-ca", inScratch(`${clients}.crt`)]);
  const args = ["--port", strict.port, ...pair(clients)];
  const { code, stdout } = await runScript("tls-client", args);
  assert.equal(stdout, "Response from server: Hello, server!\n");
  assert.equal(code, 0);
  const wanted = /it may want a client certificate\. Use --cert and --key$/m;
  await refuses([[["--port", strict.port], wanted]], { verified: true });
  await strict.stop();
});

test("with verification switched off by its reader, the client says NOT verified", async () => {
  const copy = inScratch("copy");
  let switched = 0;
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  for (const folder of ["scripts", "lib"]) {
    mkdirSync(join(copy, folder));
    for (const name of readdirSync(join(root, folder))) {
      const source = readFileSync(join(root, folder, name), "utf8");
      const changed = source.replaceAll(/rejectUnauthorized: .*,/g, "rejectUnauthorized: false,");
      if (changed !== source) switched++;
      writeFileSync(join(copy, folder, name), changed);
    }
  }
  assert.notEqual(switched, 0);
  const client = (args: string[]) =>
    run(
      process.execPath,
      [...TSX, join(copy, "scripts/tls-client.ts"), "--port", server.port, ...args],
      {
        env: ENV,
      },
    );
  const untrusted = ["--ca", join(certs, "client.crt")];
  const unwanted = [untrusted, ["--servername", "other.example"]];
  for (const { stderr } of await Promise.all(unwanted.map(client))) {
    assert.match(stderr, /NOT verified/);
    assert.doesNotMatch(stderr, /Verified/);
  }
  const looked = await client([...untrusted, "--inspect"]);
  assert.match(looked.stdout, /^Refused: /m);
  assert.equal(looked.code, 1);
  const { stderr, code } = await client([]);
  assert.match(stderr, /Verified: localhost/); // what is right is still said to be
  assert.equal(code, 0);
});

test("--inspect shows what openssl shows, and ends with a verdict", needs("openssl"), async () => {
  const args = ["--port", server.port, "--inspect"];
  const { code, stdout, stderr } = await runScript("tls-client", args);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /^Trusted: localhost, until \d{4}-\d\d-\d\d\.$/m);
  assert.doesNotMatch(stdout, /Certificate 1/); // it is self-signed
  const shown = (label: string) => new RegExp(`^ *${label}: *(.*)$`, "m").exec(stdout)![1]!;

  const connect = ["s_client", "-connect", `127.0.0.1:${server.port}`, "-showcerts"];
  const handshake = (await run("openssl", connect)).stdout;
  const [, protocol, cipher] = /^New, (\S+), Cipher is (\S+)$/m.exec(handshake)!;
  const [, group, bits] = /^Server Temp Key: (\w+), (\d+) bits$/m.exec(handshake)!;
  assert.equal(shown("Protocol"), protocol);
  assert.equal(shown("Cipher"), cipher);
  // From OpenSSL 3.5 on, a runtime agrees with itself on a post-quantum group, which this `openssl` may
  // not have, and of which Node 22 does not tell the name.
  const exchange = shown("Key exchange");
  if (parseFloat(process.versions.openssl) < 3.5) assert.equal(exchange, `${group}, ${bits} bits`);
  else assert.match(exchange, /^(X25519MLKEM768|-)$/);
  const x509 = ["-noout", "-subject", "-issuer", "-dates", "-fingerprint", "-sha256", "-text"];
  const input = handshake.match(/-----BEGIN[^]*?END CERTIFICATE-----\n/)![0];
  const fields = (await run("openssl", ["x509", ...x509], { input })).stdout;
  const field = (pattern: RegExp) => pattern.exec(fields)![1]!.trim();
  assert.equal(shown("Subject"), field(/^subject=(.*)$/m).replaceAll(" = ", "="));
  assert.equal(shown("Issuer"), field(/^issuer=(.*)$/m).replaceAll(" = ", "="));
  assert.equal(shown("Names"), field(/Subject Alternative Name:\s*(.*)/));
  const iso = (date: string) => new Date(date).toISOString().replace(".000", "");
  assert.equal(shown("Valid from"), iso(field(/^notBefore=(.*)$/m)));
  assert.equal(shown("Valid until"), iso(field(/^notAfter=(.*)$/m)));
  assert.equal(shown("SHA-256"), field(/^sha256 Fingerprint=(.*)$/im));
  assert.equal(shown("Key"), `EC, ${field(/ASN1 OID: (\w+)/)}`);
});

test("--inspect shows what is refused, says why, and sends nothing", async () => {
  const peer = await tlsServer([development]);
  const args = ["--port", peer.port, "--inspect", "--servername", "other.example"];
  const { code, stdout } = await runScript("tls-client", args);
  assert.match(stdout, /^ *Names: .*localhost/m);
  assert.match(stdout, /^Refused: the certificate of .* is not for other\.example, but for: DNS/m);
  assert.equal(code, 1);
  assert.equal(peer.received(), "");
});

test("a wrong command line or file is one line", async () => {
  writeFileSync(inScratch("nonsense"), "nonsense");
  const wrong: Refusal[] = [
    [["--port", "0"], /--port must be a whole number from 1 to 65535, not "0"/],
    [["--timeout", "0"], /--timeout must be a number of seconds greater than 0, not "0"/],
    [["--timeout", "soon"], /--timeout must be a number/],
    [["--half-close", "0"], /--half-close must be a number of seconds greater than 0/],
    [["--half-close", "soon"], /--half-close must be a number/],
    [["--cert", "x"], /--cert and --key go together/],
    [["--inspect", "text"], /--inspect sends no message/],
    [["one", "two"], /more than one message; quote it: "one two"/],
    [["--insecure"], /unknown option --insecure/],
  ];
  await refused("tls-client", wrong, { status: 2 });
  const file = ["--ca", inScratch("nonsense")];
  await refused("tls-client", [[file, /--ca .*nonsense holds no certificate/]]);
});
