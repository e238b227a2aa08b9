// Names and addresses: what tls-client.ts asks for, resolves and checks is one name, whatever its form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort, runEach, runScript, startServer, uncounted } from "./helpers.ts";
import { ipv6, issue, openssl, refuses, tlsServer, to } from "./peers.ts";

uncounted();

const NAMES = `DNS:evil.test, DNS:*.example.test, DNS:f*.partial.test,
  DNS:xn--bcher-kva.example, DNS:UPPER.Case.test`.replace(/\n\s*/, " ");
const names = async () => tlsServer([await issue("names", { cn: "names.test", names: NAMES })]);
const named = (name: string) => ["--host", "127.0.0.1", "--servername", name];

test("a name in any of its forms is asked for and checked in one", openssl, async () => {
  const forms: [string, string][] = [
    ["Evil.TEST.", "evil.test"],
    ["upper.case.test", "upper.case.test"],
    ["foo。Example.test", "foo.example.test"], // U+3002, a full stop as well
    ["BÜCHER.example.", "xn--bcher-kva.example"],
  ];
  const peer = await names();
  const results = await runEach(
    "tls-client",
    forms.map(([form]) => [...to(peer), ...named(form)]),
  );
  for (const { code, stderr } of results) {
    assert.match(stderr, /^TLSv1\.3, [^\n]* Verified: [^\n]*\n$/);
    assert.equal(code, 0);
  }
  assert.deepEqual(
    peer.asked,
    forms.map(([, name]) => name),
  );
});

test("a name that the certificate is not for, whatever its form", openssl, async () => {
  const many = await names();
  const email = { cn: "common.test", names: "email:a@example.test" };
  const common = await tlsServer([await issue("common", email)]);
  const wrong: [string, typeof many][] = [
    ["example.test", many],
    ["a.b.example.test", many],
    ["foo.partial.test", many], // a wildcard stands for a whole label
    ["names.test", many],
    ["common.test", common], // and the common name for nothing, not even without another name
  ];
  await refuses(wrong.map(([name, peer]) => [[...to(peer), ...named(name)], /certificate/]));
  assert.equal(many.received() + common.received(), "");
});

test("what has no place in a name is refused, never cut off", openssl, async () => {
  const [many, good] = [await names(), await tlsServer([await issue("good")])];
  const cases = [
    ...["evil.test/.x.test", "evil.test:443", "evil.test\t"].map((name) => [
      ...[...to(many), ...named(name)],
    ]),
    ...["localhost/.x.test", "localhost%20"].map((host) => [...to(good), "--host", host]),
  ];
  await refuses(
    cases.map((args) => [args]),
    { status: 2 },
  );
  assert.equal(many.received() + good.received(), "");
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
    { status: 2 },
  );
});

test("addresses that can't be reached from here: one line, with a reason", async () => {
  const port = ["--port", await freePort()];
  const hosts = ["localhost", "255.255.255.255", ...(ipv6.skip ? [] : ["fe80::1"])];
  // The kernel itself refuses the last two: nothing is sent.
  await refuses(hosts.map((host) => [["--host", host, ...port], new RegExp(host)]));
});
