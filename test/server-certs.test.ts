import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  inScratch,
  needs,
  run,
  runEach,
  runScript,
  scratch,
  script,
  startScript,
  startServer,
  uncounted,
} from "./helpers.ts";
import { refuses, refusesToStart } from "./peers.ts";

uncounted();

const DAY = 24 * 60 * 60 * 1000;

function pair(folder: string, name: string) {
  const certificate = new X509Certificate(readFileSync(join(folder, `${name}.crt`)));
  const key = createPrivateKey(readFileSync(join(folder, `${name}.key`)));
  return { certificate, key, fits: certificate.checkPrivateKey(key) };
}

test("a server makes certificates as described, and says so", needs("openssl"), async () => {
  const folder = inScratch("made");
  const server = await startServer([], { env: { DEV_CERTS_DIR: folder } });
  await server.stop();
  assert.match(server.stderr(), /^Made a development certificate .* in .*made,\nvalid until 20/);
  assert.deepEqual(readdirSync(folder).sort(), [
    "client.crt",
    "client.key",
    "server.crt",
    "server.key",
  ]);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of ["server", "client"]) {
    const { certificate, key, fits } = pair(folder, name);
    assert.equal(statSync(join(folder, `${name}.key`)).mode & 0o777, 0o600);
    assert.equal(fits, true);
    assert.equal(key.asymmetricKeyDetails?.namedCurve, "prime256v1");
    const days = (Date.parse(certificate.validTo) - Date.now()) / DAY;
    assert.ok(days > 29.9 && days <= 30, `${days} days`);
    assert.equal(certificate.ca, false);
  }
  assert.equal(
    pair(folder, "server").certificate.subjectAltName,
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  const file = join(folder, "server.crt");
  const strict = await run("openssl", ["verify", "-x509_strict", "-CAfile", file, file]);
  assert.equal(strict.code, 0, strict.stderr);
});

test("they are kept while they last, and made anew when less than a day is left", async () => {
  const folder = inScratch("kept");
  const env = { DEV_CERTS_DIR: folder };
  const first = await startServer([], { env });
  await first.stop();
  const { fingerprint256 } = pair(folder, "server").certificate;
  const second = await startServer([], { env });
  await second.stop();
  assert.equal(second.stderr(), "");
  assert.equal(pair(folder, "server").certificate.fingerprint256, fingerprint256);

  for (const spoiled of ["short-lived", "cut off", "another's"]) {
    const file = join(folder, "server.crt");
    if (spoiled === "short-lived")
      await run("openssl", [
        ...["req", "-x509", "-days", "1", "-subj", "/CN=localhost"],
        ...["-key", join(folder, "server.key"), "-out", file],
      ]);
    if (spoiled === "cut off") writeFileSync(file, readFileSync(file).subarray(0, 300));
    if (spoiled === "another's") writeFileSync(file, readFileSync(join(folder, "client.crt")));
    const server = await startServer([], { env });
    assert.match(server.stderr(), /Made a development certificate/, spoiled);
    await server.stop();
    assert.equal(pair(folder, "server").fits, true, spoiled);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  }
});

test("servers that start at once all serve the one certificate that is left", async () => {
  const env = { DEV_CERTS_DIR: inScratch("at-once") };
  const servers = await Promise.all(Array.from({ length: 4 }, () => startServer([], { env })));
  const cases = servers.map(({ port }) => ["--port", port]);
  for (const { code, stdout, stderr } of await runEach("tls-client", cases, { env }))
    assert.deepEqual([stdout, code], ["Response from server: Hello, server!\n", 0], stderr);
  await Promise.all(servers.map((server) => server.stop()));
  assert.equal(pair(inScratch("at-once"), "client").fits, true);
  assert.equal(readdirSync(inScratch("at-once")).length, 4);
});

test("a start that is cut off anywhere leaves nothing that stops the next", async () => {
  // openssl stands in for the moment: a wrapper that kills the server before or after it ran.
  const wrappers = inScratch("wrappers");
  mkdirSync(wrappers);
  const { stdout } = await run("sh", ["-c", "command -v openssl"]);
  const folder = inScratch("cut-off");
  for (const [before, after] of [
    ["kill -9 $PPID; exit", ""],
    ["", "kill -9 $PPID"],
    ['case "$*" in *client*) kill -9 $PPID; exit; esac', ""],
  ]) {
    writeFileSync(
      join(wrappers, "openssl"),
      `#!/bin/sh\n${before}\n${stdout.trim()} "$@"\n${after}\n`,
    );
    chmodSync(join(wrappers, "openssl"), 0o755);
    const env = { DEV_CERTS_DIR: folder, PATH: `${wrappers}:${process.env.PATH}` };
    const cut = startScript("server", ["--port", "0"], { env });
    assert.equal(await cut.exit, "SIGKILL");
    const sane = { DEV_CERTS_DIR: folder };
    const server = await startServer([], { env: sane });
    await server.stop();
    assert.equal(pair(folder, "server").fits, true);
    // The draft may stay: nobody else can look into it, and its key is not the one that is served.
    for (const name of readdirSync(scratch).filter((name) => name.startsWith("cut-off.draft-"))) {
      assert.equal(statSync(inScratch(name)).mode & 0o777, 0o700);
      for (const file of readdirSync(inScratch(name), { recursive: true }) as string[])
        if (file.endsWith("server.key"))
          assert.notEqual(
            readFileSync(join(inScratch(name), file), "utf8"),
            readFileSync(join(folder, "server.key"), "utf8"),
          );
    }
    await run("rm", ["-r", folder]);
  }
});

test("no openssl, or a folder that can't be used, is one line", async () => {
  const env = { DEV_CERTS_DIR: inScratch("no-openssl"), PATH: inScratch("nowhere") };
  const line =
    /^server: .*there is no openssl command\. Install it, or use --cert and --key, or --plain\n$/;
  await refusesToStart([[[], line]], { env });
  writeFileSync(inScratch("a-file"), "");
  const file = { DEV_CERTS_DIR: inScratch("a-file") };
  await refusesToStart([[[], /: no development certificate in .*a-file: [^\n]+\n$/]], {
    env: file,
  });
});

test("what others may have put there, or may read, is refused in one line; nothing is removed", async () => {
  const folder = inScratch("unsafe");
  const env = { DEV_CERTS_DIR: folder };
  await startServer([], { env }).then((server) => server.stop());
  const refuse = async (line: RegExp) => {
    const where = /: no development certificate in [^\n]*DEV_CERTS_DIR[^\n]*\n$/;
    await refusesToStart([[[], line, where]], { env });
    await refuses([[["--port", "1"], line, where]], { env });
  };
  chmodSync(join(folder, "server.key"), 0o644);
  await refuse(/others may read .*server\.key/);
  chmodSync(join(folder, "server.key"), 0o600);
  if (process.getuid?.() === 0) {
    for (const path of ["", "server.key"]) {
      chownSync(join(folder, path), 65534, 65534);
      await refuse(/unsafe(\/server\.key)? belongs to another user/);
      chownSync(join(folder, path), 0, 0);
    }
  }
  // A folder with other files in it is somebody's, and is not replaced.
  writeFileSync(join(folder, "server.crt"), "damaged");
  writeFileSync(join(folder, "notes"), "mine");
  const others = /there are other files in it, such as notes\. DEV_CERTS_DIR/;
  await refusesToStart([[[], others]], { env });
  assert.equal(readFileSync(join(folder, "notes"), "utf8"), "mine");
});

test(
  "a good pair is used as it is, in a folder that can't be written to as well",
  needs("openssl"),
  async () => {
    const folder = inScratch("read-only/certs");
    const env = { DEV_CERTS_DIR: folder };
    await startServer([], { env }).then((server) => server.stop());
    chmodSync(folder, 0o500);
    chmodSync(inScratch("read-only"), 0o500);
    const before = statSync(folder).ctimeMs;
    const server = await startServer([], { env });
    assert.equal((await runScript("tls-client", ["--port", server.port], { env })).code, 0);
    await server.stop();
    assert.equal(server.stderr(), "");
    assert.equal(statSync(folder).ctimeMs, before);
    chmodSync(inScratch("read-only"), 0o700);
  },
);

test("a damaged key is replaced, with all of its folder", needs("openssl"), async () => {
  const folder = inScratch("damaged");
  const env = { DEV_CERTS_DIR: folder };
  mkdirSync(folder);
  writeFileSync(join(folder, "server.key"), "nonsense", { mode: 0o600 });
  const server = await startServer([], { env });
  assert.equal((await runScript("tls-client", ["--port", server.port], { env })).code, 0);
  await server.stop();
  assert.equal(readdirSync(folder).length, 4);
});

test("the default folder is beside the scripts, whatever the working directory", async () => {
  const copy = inScratch("copy");
  mkdirSync(copy);
  const source = script("server").replace(/scripts.server\.ts$/, "");
  for (const item of ["scripts", "lib", "package.json", "tsconfig.json"])
    await run("cp", ["-r", join(source, item), copy]);
  const tsx = ["--import", import.meta.resolve("tsx"), join(copy, "scripts", "server.ts")];
  const env = { ...process.env, PATH: inScratch("nowhere"), DEV_CERTS_DIR: "", LC_ALL: "C" };
  const { stderr } = await run(process.execPath, [...tsx, "--port", "0"], { env, cwd: "/" });
  assert.match(stderr, new RegExp(`development certificate in ${join(copy, ".certs")}:`));
});
