// PEM files that are trusted, or shown, are read whole; a wrong one is named.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { before, test } from "node:test";
import { inScratch as file, run, runScript, startServer, uncounted } from "./helpers.ts";
import { issue, openssl, pair, pem, refuses, refusesToStart, tlsServer, to } from "./peers.ts";

uncounted();

before(async () => {
  if (openssl.skip) return;
  const others = ["other", "another"].map((by) => issue(by, { by, constraints: "CA:TRUE" }));
  await Promise.all([issue("good"), ...others]);
});

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
    const words = [/content\.pem/, second];
    await refusesToStart([
      [["--client-ca", bundle, ...pair("good")], ...words],
      [own, ...words],
    ]);
  },
);

test("a good bundle, with text between, is trusted to its last certificate", openssl, async () => {
  const text = "subject: one of many\n# a comment\n";
  writeFileSync(
    file("bundle.pem"),
    `\n${text}${pem("other")}${text}${pem("another")}${text}${pem("root")}`,
  );
  const peer = await tlsServer(["good"]);
  const bundle = ["--port", peer.port, "--ca", file("bundle.pem")];
  assert.equal((await runScript("tls-client", bundle)).code, 0);
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
    assert.equal((await runScript("tls-client", to(server))).code, 0);
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
  await refusesToStart([[pair("reversed", "good"), /reversed\.crt/, /order|first/]]);
  await refuses([[pair("reversed", "good"), /order|first/]]);
});
