// What server.ts refuses: command lines, places to listen on, certificates, and clients.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { certs, inScratch, needs, run, runEach, runScript, start, startServer } from "./helpers.ts";

test("clients that fail are a line each, and the next one is served", async () => {
  const server = await startServer();
  const http = connect(+server.port, "127.0.0.1");
  http.end("GET / HTTP/1.1\r\n\r\n");
  await server.prints(/^Client refused: 127\.0\.0\.1:\d+: it does not speak TLS$/m);
  const gone = connect(+server.port, "127.0.0.1");
  await once(gone, "connect");
  gone.resetAndDestroy();
  await server.prints(/^Client left during the handshake: 127\.0\.0\.1:\d+: it had sent nothing$/m);
  const client = await runScript("tls-client", ["--port", server.port]);
  assert.equal(client.code, 0);
  http.destroy();
  await server.stop();
});

test("a port that is taken, and other places where it can't listen", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const { port } = blocker.address() as AddressInfo;
  const cases: [string[], RegExp][] = [
    [["--port", `${port}`], new RegExp(`port ${port} is taken\\. Use --port`)],
    [["--port", "0", "--host", "192.0.2.1"], /192\.0\.2\.1 is not an address of this machine/],
    [["--port", "0", "--host", "nowhere.invalid"], /there is no host named nowhere\.invalid/],
  ];
  await refusesToStart(1, cases);
  blocker.close();
});

test("a wrong command line is one line and status 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--port", "65536"], /--port must be a whole number from 0 to 65535, not "65536"/],
    [["--port", "5e3"], /--port must be a whole number/],
    [["--port=-1"], /--port must be a whole number/],
    [["--port", "-1"], /--port needs a value/],
    [["extra"], /unexpected argument "extra"/],
    [["--cert", "x"], /--cert and --key go together/],
    [["--plain", "--cert", "x", "--key", "y"], /--plain uses no certificates/],
    [["--host", ""], /--host needs a value/],
  ];
  await refusesToStart(2, cases);
});

test("certificates of one's own, and wrong ones", needs("openssl"), async () => {
  const files = ["a", "b"].flatMap((name) => [inScratch(`${name}.crt`), inScratch(`${name}.key`)]);
  const [aCert, aKey, bCert, bKey] = files as [string, string, string, string];
  const make = (cert: string, key: string) =>
    run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own"],
      ...["-addext", "subjectAltName=DNS:localhost", "-out", cert, "-keyout", key],
    ]);
  await Promise.all([make(aCert, aKey), make(bCert, bKey)]);
  const encrypted = inScratch("encrypted.key");
  await run("openssl", ["pkey", "-in", aKey, "-aes256", "-passout", "pass:x", "-out", encrypted]);
  const nonsense = inScratch("nonsense.pem");
  writeFileSync(nonsense, "nonsense");

  const server = await startServer(["--cert", aCert, "--key", aKey]);
  const trusting = [aCert, bCert].map((ca) => ["--port", server.port, "--ca", ca]);
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
  await refusesToStart(
    1,
    wrong.map(([cert, key, line]) => [["--cert", cert, "--key", key], line]),
  );
});

test(
  "mutual TLS: who has no certificate, or another's, is refused before any data",
  needs("openssl"),
  async () => {
    await startServer().then((server) => server.stop()); // makes the certificates
    const server = await startServer(["--client-ca", `${certs}/client.crt`]);
    const args = ["s_client", "-quiet", "-no_ign_eof", "-connect", `127.0.0.1:${server.port}`];
    const other = ["-cert", `${certs}/server.crt`, "-key", `${certs}/server.key`];
    const own = ["-cert", `${certs}/client.crt`, "-key", `${certs}/client.key`];
    const refused: [string[], RegExp, RegExp][] = [
      [[], /certificate required/, /: it has no certificate, and --client-ca asks for one$/m],
      [
        other,
        /s_client|error/i,
        /: its certificate is not from --client-ca, or not valid: [a-z ]+$/m,
      ],
    ];
    for (const [more, alert, line] of refused) {
      const client = start("openssl", [...args, ...more]);
      client.child.stdin!.write("not for you\n");
      assert.notEqual(await client.exit, 0);
      assert.match(client.stderr(), alert);
      assert.equal(client.stdout(), "");
      await server.prints(line);
    }
    assert.doesNotMatch(server.stdout(), /Client connected/);
    const client = start("openssl", [...args, ...own]);
    client.child.stdin!.write("it's me\n");
    await client.prints(/^it's me$/m);
    client.child.stdin!.end();
    await server.prints(/Client disconnected/);
    await server.stop();
  },
);

async function refusesToStart(status: number, cases: [string[], RegExp][]): Promise<void> {
  const results = await runEach(
    "server",
    cases.map(([args]) => args),
  );
  const alone = await runScript("server", cases[0]![0]); // which ends, whatever may be open
  for (const [i, { code, stdout, stderr }] of [...results, alone].entries()) {
    assert.match(stderr, (cases[i] ?? cases[0]!)[1]);
    assert.match(stderr, /^server: [^\n]*\n$/);
    assert.deepEqual([stdout, code], ["", status], stderr);
  }
}
