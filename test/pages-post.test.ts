// The post's own programs fail as the pages say; mended as the pages show, they work, and verify.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  freePort,
  inScratch,
  needs,
  run,
  start,
  startScript,
  startServer,
  uncounted,
  type Program,
} from "./helpers.ts";
import { PAGES, READY, english, portOf, program, read } from "./pages.ts";

uncounted();

const python = needs("python3", "openssl");
test("the post's programs say what the pages say, and mended they verify", python, async () => {
  const shown = (name: string) => english.find(({ info }) => info === `diff ${name}`)!.text;
  const client = {
    posted: program(shown("client.py"), "-"),
    mended: program(shown("client.py"), "+"),
  };
  const server = {
    posted: program(shown("server.py"), "-"),
    mended: program(shown("server.py"), "+"),
  };
  const named = client.posted.replace(
    "client_socket)\n",
    'client_socket, server_hostname="localhost")\n',
  );

  const here = inScratch("python");
  mkdirSync(here);
  const certificates = { DEV_CERTS_DIR: join(here, ".certs") };
  const python = (text: string, port: string, cwd = here) => {
    const env = { ...process.env, PYTHONUNBUFFERED: "1", LC_ALL: "C.UTF-8" };
    return start("python3", ["-c", text.replace("5000", port)], { cwd, env, timeout: 60_000 });
  };
  const listening = async (text: string, port: string) => {
    const program = python(text, port);
    await program.prints(READY);
    return program;
  };
  /** Whether a program ends with these words, which the pages have as well. */
  async function says(program: Program, ...words: string[]) {
    assert.equal(await program.exit, 1);
    for (const word of words) {
      assert.ok(program.stderr().includes(word), program.stderr());
      for (const { page } of PAGES) assert.ok(read(page).includes(word), `${page}: ${word}`);
    }
  }

  // As posted, and with the name alone, to our server, whose log each page has in its language.
  await says(python(client.posted, "1"), "check_hostname requires server_hostname");
  for (const { page, locale } of PAGES) {
    const env = { ...certificates, LC_ALL: locale };
    const ours = startScript("server", ["--port", "0"], { env });
    const [ready] = await ours.prints(READY);
    const refusal = says(python(named, portOf(ready)!), "CERTIFICATE_VERIFY_FAILED", "self-signed");
    const [, why] = await ours.prints(/: (?:\?|[\d.:]+): (.+)\n/);
    assert.ok(read(page).includes(why!), `${page}: ${why}`);
    await refusal;
    ours.child.kill();
  }

  // The post's server: to that client, to half a character, and started again at once.
  const port = await freePort();
  const deaf = await listening(server.posted, port);
  await says(python(named, port), "UNEXPECTED_EOF_WHILE_READING");
  await says(deaf, "UnicodeDecodeError", "invalid start byte");
  const next = await freePort();
  const halved = await listening(server.posted, next);
  const socket = connect(+next, "127.0.0.1", () => socket.write("\xed\x95", "latin1"));
  await once(socket.resume(), "close");
  await says(halved, "unexpected end of data");
  await says(python(server.posted, next), "Address already in use");

  // Mended, it can be: it serves the mended client, which leaves it in TIME-WAIT, and then ours.
  const again = await freePort();
  for (const theirs of [true, false]) {
    const mended = await listening(server.mended, again);
    const program = theirs
      ? python(client.mended, again)
      : startScript("tls-client", ["--port", again], { env: certificates });
    assert.equal(await program.exit, 0, program.stderr());
    assert.equal(await mended.exit, 0, mended.stderr());
  }

  // Mended, the client refuses whom it has no reason to trust, and a name that it did not ask for.
  const elsewhere = inScratch("elsewhere");
  const [key, cert] = ["server.key", "server.crt"].map((name) => join(elsewhere, ".certs", name));
  mkdirSync(join(elsewhere, ".certs"), { recursive: true });
  const made = await run("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:example.com", "-keyout", key!, "-out", cert!],
  ]);
  assert.equal(made.code, 0, made.stderr);
  const ours = await startServer([], { env: certificates });
  await says(python(client.mended, ours.port, elsewhere), "CERTIFICATE_VERIFY_FAILED");
  const theirs = await startServer(["--cert", cert!, "--key", key!]);
  await says(python(client.mended, theirs.port, elsewhere), "Hostname mismatch");
  assert.doesNotMatch(ours.stdout() + theirs.stdout(), /Received/);
  await Promise.all([ours.stop(), theirs.stop()]);
});
