// Whom tls-client.ts trusts, by whose word, and what it shows of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import * as tls from "node:tls";
import {
  ENV,
  TSX,
  certs,
  inScratch,
  needs,
  root,
  run,
  runEach,
  runScript,
  startServer,
} from "./helpers.ts";

let server: Awaited<ReturnType<typeof startServer>>;
before(async () => (server = await startServer()));

test("an address as the host is checked as an address", async () => {
  const { code } = await runScript("tls-client", ["--port", server.port, "--host", "127.0.0.1"]);
  assert.equal(code, 0);
});

test("a name that the certificate is not for is refused, and the names are given", async () => {
  const line =
    /is not for example\.com, but for: DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\. See --servername$/m;
  await refuses([[["--port", server.port, "--servername", "example.com"], 1, line]]);
});

test("without the development certificate, a server on this machine is not trusted", async () => {
  mkdirSync(inScratch("empty"));
  const env = { DEV_CERTS_DIR: inScratch("empty") };
  const { code, stderr } = await runScript("tls-client", ["--port", server.port], { env });
  assert.equal(code, 1);
  assert.match(stderr, /is self-signed, and not trusted here\. To trust it, use --ca/);
});

test("a development certificate that can't be read is an error, not another trust", async () => {
  mkdirSync(inScratch("broken"));
  writeFileSync(inScratch("broken/server.crt"), "nonsense");
  const env = { DEV_CERTS_DIR: inScratch("broken") };
  const { code, stderr } = await runScript("tls-client", ["--port", server.port], { env });
  assert.match(stderr, /^tls-client: development certificate .*server\.crt holds no certificate/);
  assert.equal(code, 1);
});

test("mutual TLS with the development client certificate", async () => {
  const strict = await startServer(["--client-ca", `${certs}/client.crt`]);
  const own = ["--cert", `${certs}/client.crt`, "--key", `${certs}/client.key`];
  const { code, stdout } = await runScript("tls-client", ["--port", strict.port, ...own]);
  assert.equal(stdout, "Response from server: Hello, server!\n");
  assert.equal(code, 0);
  const without = await runScript("tls-client", ["--port", strict.port]);
  assert.match(without.stderr, /it may want a client certificate\. Use --cert and --key$/m);
  assert.equal(without.code, 1);
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

/** A TLS server with the development certificate, for one kind of answer. */
async function answering(serve: (socket: tls.TLSSocket) => void) {
  const [cert, key] = ["crt", "key"].map((type) => readFileSync(`${certs}/server.${type}`));
  const peer = tls.createServer({ cert, key, allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}).on("finish", () => peer.emit("sent"));
    serve(socket);
  });
  await once(peer.listen(0, "127.0.0.1").unref(), "listening");
  return { port: String((peer.address() as AddressInfo).port), server: peer };
}

test("--inspect shows what is refused, says why, and sends nothing", async () => {
  let received = 0;
  const peer = await answering((socket) =>
    socket.on("data", () => received++).on("end", () => socket.end()),
  );
  const args = ["--port", peer.port, "--inspect", "--servername", "other.example"];
  const { code, stdout } = await runScript("tls-client", args);
  assert.match(stdout, /^ *Names: .*localhost/m);
  assert.match(stdout, /^Refused: the certificate of .* is not for other\.example, but for: DNS/m);
  assert.equal(code, 1);
  assert.equal(received, 0);
});

test("a wrong command line or file is one line", async () => {
  writeFileSync(inScratch("nonsense"), "nonsense");
  const wrong: [string[], number, RegExp][] = [
    [["--port", "0"], 2, /--port must be a whole number from 1 to 65535, not "0"/],
    [["--timeout", "0"], 2, /--timeout must be a number of seconds greater than 0, not "0"/],
    [["--timeout", "soon"], 2, /--timeout must be a number/],
    [["--half-close", "0"], 2, /--half-close must be a number of seconds greater than 0/],
    [["--half-close", "soon"], 2, /--half-close must be a number/],
    [["--cert", "x"], 2, /--cert and --key go together/],
    [["--inspect", "text"], 2, /--inspect sends no message/],
    [["one", "two"], 2, /more than one message; quote it: "one two"/],
    [["--insecure"], 2, /unknown option --insecure/],
    [["--ca", inScratch("nonsense")], 1, /--ca .*nonsense holds no certificate/],
  ];
  await refuses(wrong);
});

async function refuses(cases: [string[], number, RegExp][]): Promise<void> {
  const results = await runEach(
    "tls-client",
    cases.map(([args]) => args),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [, status, line] = cases[i]!;
    assert.match(stderr, line);
    assert.match(stderr, /^tls-client: [^\n]*\n$/);
    assert.deepEqual([stdout, code], ["", status], stderr);
  }
}
