import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { before, test } from "node:test";
import { inScratch, needs, run, runScript, startServer } from "./helpers.ts";

let server: Awaited<ReturnType<typeof startServer>>;
before(async () => (server = await startServer()));

test("a message and its answer, in any alphabet, of any length", async () => {
  const messages = ["안녕, 서버!", "x".repeat(100_000), "-", " leading space"];
  for (const message of messages) {
    const { code, stdout } = await runScript("tls-client", ["--port", server.port, message]);
    assert.equal(stdout, `Response from server: ${message}\n`);
    assert.equal(code, 0);
  }
});

test("the answer does not drive the terminal", async () => {
  const args = ["--port", server.port, "\u001b]0;title\u0007\nforged line\r"];
  const { stdout } = await runScript("tls-client", args);
  assert.equal(stdout, "Response from server: \\u001b]0;title\\u0007\\u000aforged line\\u000d\n");
});

test("an address as the host is checked as an address", async () => {
  const { code } = await runScript("tls-client", ["--port", server.port, "--host", "127.0.0.1"]);
  assert.equal(code, 0);
});

test("a name that the certificate is not for is refused, and the names are given", async () => {
  const line =
    /has no certificate for example\.com, but for: DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1$/m;
  await refuses(["--port", server.port, "--servername", "example.com"], 1, line);
});

test("nothing listens, no such host", async () => {
  const unused = createServer().listen(0, "127.0.0.1");
  await once(unused, "listening");
  const { port } = unused.address() as AddressInfo;
  unused.close();
  await refuses(["--port", `${port}`], 1, /nothing listens on localhost:\d+\. Start the server/);
  await refuses(["--host", "nowhere.invalid"], 1, /there is no host named nowhere\.invalid/);
});

test("a server that does not speak TLS, or says nothing", async () => {
  const silent = await listen(() => {});
  const chatty = await listen((socket) => socket.write("220 welcome\r\n"));
  const closing = await listen((socket) => socket.end());
  await refuses(["--port", silent.port, "--timeout", "0.3"], 1, /no answer from .* in time/);
  await refuses(["--port", chatty.port], 1, /does not speak TLS/);
  await refuses(["--port", closing.port], 1, /closed the connection/);
  for (const peer of [silent, chatty, closing]) peer.close();
});

test("an issuer that is not trusted", needs("openssl"), async () => {
  const other = inScratch("other.crt");
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other"];
  await run("openssl", [...args, "-out", other, "-keyout", inScratch("other.key")]);
  await refuses(["--port", server.port, "--ca", other], 1, /nobody trusted here has issued/);
});

test("without the development certificate, a server on this machine is not trusted", async () => {
  mkdirSync(inScratch("empty"));
  const env = { DEV_CERTS_DIR: inScratch("empty") };
  const { code, stderr } = await runScript("tls-client", ["--port", server.port], { env });
  assert.equal(code, 1);
  assert.match(stderr, /nobody trusted here has issued\. To trust it, use --ca/);
});

test("a wrong command line or file is one line", async () => {
  writeFileSync(inScratch("nonsense"), "nonsense");
  const wrong: [string[], number, RegExp][] = [
    [["--port", "0"], 2, /--port must be a whole number from 1 to 65535, not "0"/],
    [["--timeout", "0"], 2, /--timeout must be a number of seconds greater than 0, not "0"/],
    [["--timeout", "soon"], 2, /--timeout must be a number/],
    [["one", "two"], 2, /more than one message; quote it: "one two"/],
    [["--insecure"], 2, /unknown option --insecure/],
    [["--ca", inScratch("missing")], 1, /cannot read --ca .*missing: no such file/],
    [["--ca", inScratch("nonsense")], 1, /--ca .*nonsense holds no certificate/],
  ];
  await Promise.all(wrong.map(([args, status, line]) => refuses(args, status, line)));
});

async function refuses(args: string[], status: number, line: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runScript("tls-client", args);
  assert.match(stderr, line);
  assert.match(stderr, /^tls-client: [^\n]*\n$/);
  assert.equal(stdout, "");
  assert.equal(code, status);
}

async function listen(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const peer = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(peer, "listening");
  const close = () => {
    peer.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: String((peer.address() as AddressInfo).port), close };
}
