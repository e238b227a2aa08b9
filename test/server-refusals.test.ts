// What server.ts refuses: command lines, places to listen on, certificates, and clients.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { inScratch, run, runEach, runScript, start, startServer, type Refusal } from "./helpers.ts";
import {
  clients,
  development,
  issue,
  openssl,
  pair,
  portOf,
  refusesClient,
  refusesToStart,
  to,
} from "./peers.ts";

test("clients that fail are a line each, and the next one is served", async () => {
  const server = await startServer();
  const http = connect(+server.port, "127.0.0.1");
  http.end("GET / HTTP/1.1\r\n\r\n");
  await server.prints(/^Client refused: 127\.0\.0\.1:\d+: it does not speak TLS$/m);
  const gone = connect(+server.port, "127.0.0.1");
  await once(gone, "connect");
  gone.resetAndDestroy();
  await server.prints(
    /^Client left during the handshake: (127\.0\.0\.1:\d+|\?): it had sent nothing$/m,
  );
  const client = await runScript("tls-client", ["--port", server.port]);
  assert.equal(client.code, 0);
  http.destroy();
  await server.stop();
});

test("a port that is taken, and other places where it can't listen", async () => {
  const port = await portOf(createServer());
  await refusesToStart([
    [["--port", port], new RegExp(`port ${port} is taken\\. Use --port`)],
    [["--host", "192.0.2.1"], /192\.0\.2\.1 is not an address of this machine/],
    [["--host", "nowhere.invalid"], /there is no host named nowhere\.invalid/],
  ]);
});

test("a wrong command line is one line and status 2", async () => {
  const cases: Refusal[] = [
    [["--port", "65536"], /--port must be a whole number from 0 to 65535, not "65536"/],
    [["--port", "5e3"], /--port must be a whole number/],
    [["--port=-1"], /--port must be a whole number/],
    [["--port", "-1"], /--port needs a value/],
    [["extra"], /unexpected argument "extra"/],
    [["--cert", "x"], /--cert and --key go together/],
    [["--plain", "--cert", "x", "--key", "y"], /--plain uses no certificates/],
    [["--host", ""], /--host needs a value/],
  ];
  await refusesToStart(cases, { status: 2 });
});

test("certificates of one's own, and wrong ones", openssl, async () => {
  const own = ["a", "b"].map((by) => issue(by, { by, cn: "own", key: "rsa:2048" }));
  await Promise.all(own);
  const [aCert, aKey, bKey] = [inScratch("a.crt"), inScratch("a.key"), inScratch("b.key")];
  const encrypted = inScratch("encrypted.key");
  await run("openssl", ["pkey", "-in", aKey, "-aes256", "-passout", "pass:x", "-out", encrypted]);
  const nonsense = inScratch("nonsense.pem");
  writeFileSync(nonsense, "nonsense");

  const server = await startServer(["--cert", aCert, "--key", aKey]);
  const trusting = ["a", "b"].map((name) => to(server, name));
  const codes = (await runEach("tls-client", trusting)).map(({ code }) => code);
  assert.deepEqual(codes, [0, 1]);
  await server.stop();

  const wrong: [string, string, RegExp][] = [
    [aCert, bKey, /--key .*b\.key is not the key of --cert .*a\.crt/],
    [nonsense, aKey, /--cert .*nonsense\.pem holds no certificate in PEM form/],
    [aCert, nonsense, /--key .*nonsense\.pem holds no private key/],
    [aCert, encrypted, /--key .*encrypted\.key is encrypted; decrypt it with: openssl pkey/],
    [inScratch("none"), aKey, /cannot read --cert .*none: no such file or directory/],
  ];
  await refusesToStart(wrong.map(([cert, key, line]) => [["--cert", cert, "--key", key], line]));
});

test(
  "mutual TLS: who has no certificate, or another's, is refused before any data",
  openssl,
  async () => {
    await startServer().then((server) => server.stop()); // makes the certificates
    const server = await startServer(["--client-ca", inScratch(`${clients}.crt`)]);
    const none = /: it has no certificate, and --client-ca asks for one$/m;
    await refusesClient(server, [], /certificate required/, none);
    const others = /: its certificate is not from --client-ca, or not valid: [a-z ]+$/m;
    await refusesClient(server, pair(development), /s_client|error/i, others);
    const to = ["-connect", `127.0.0.1:${server.port}`, ...pair(clients)];
    const client = start("openssl", ["s_client", "-quiet", "-no_ign_eof", ...to]);
    client.child.stdin!.write("it's me\n");
    await client.prints(/^it's me$/m);
    client.child.stdin!.end();
    await server.prints(/Client disconnected/);
    await server.stop();
  },
);

test("mutual TLS: who has a certificate that has expired is refused", openssl, async () => {
  await issue("late", { until: "20250102000000Z" });
  const server = await startServer(["--client-ca", inScratch("root.crt")]);
  await refusesClient(server, pair("late"), /s_client|error/i, /or not valid: .*expired$/m);
  await server.stop();
});
