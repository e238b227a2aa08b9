// Whole answers, also from servers that take an early end for a hang-up; and never a success without
// one. The servers are real, each on a free port with the development certificate.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import { before, test } from "node:test";
import type { TLSSocket, TlsOptions } from "node:tls";
import {
  inScratch,
  needs,
  runScript,
  start,
  startServer,
  uncounted,
  type Server,
} from "./helpers.ts";
import { clients, development, onSomePort, pair, pem, portOf, tlsServer } from "./peers.ts";

uncounted();

const BIG = randomBytes(3_750_000).toString("base64"); // 5 MB of text in which any gap shows
const LATE = "late, but whole";
const www = inScratch("www");

let own: Server; // it makes the development certificates
before(async () => {
  own = await startServer();
  mkdirSync(www);
  writeFileSync(join(www, "big"), BIG);
});
const [cert, key] = [inScratch(`${development}.crt`), inScratch(`${development}.key`)];

/** What web servers answer: 5 MB at once, or a line after a while. The wait is the subject. */
const page: (wait: number) => http.RequestListener = (wait) => (request, response) => {
  response.setHeader("Content-Length", request.url === "/big" ? BIG.length : LATE.length);
  if (request.url === "/big") response.end(BIG);
  else setTimeout(() => response.end(LATE), wait);
};

async function nginx(): Promise<string> {
  const late = await portOf(http.createServer(page(2000)));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = (port: string) => `
    daemon off; master_process off; pid pid;
    events {}
    http {
      access_log off; ${temporary.map((kind) => `${kind}_temp_path ${kind};`).join(" ")}
      server {
        listen 127.0.0.1:${port} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
        root ${www};
        location /late { proxy_pass http://127.0.0.1:${late}; }
      }
    }`;
  const args = (port: string) => {
    const folder = inScratch(`nginx-${port}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "conf"), config(port));
    return ["-p", folder, "-c", "conf", "-e", "stderr", "-g", "error_log stderr notice;"];
  };
  const listens = /using the ".*" event method[^]*nginx\/\d/;
  return (await onSomePort("nginx", args, listens)).port;
}

const PYTHON = `
import functools, http.server, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[3])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, flush=True)
server.serve_forever()
`;

async function python(): Promise<string> {
  const server = start("python3", ["-c", PYTHON, cert, key, www]);
  return (await server.prints(/^port (\d+)$/m))[1]!;
}

async function ncat(): Promise<string> {
  const own = ["--ssl", "--ssl-cert", cert, "--ssl-key", key];
  const args = (port: string) => ["-v", "-k", "-l", ...own, "-c", "cat", "127.0.0.1", port];
  return (await onSomePort("ncat", args, /Listening/)).port;
}

const secure = () => ({ cert: pem(development), key: readFileSync(key) });
const node = () => portOf(https.createServer(secure(), page(50)));
const get = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
const ECHO = BIG.slice(0, 100_000); // as long as an argument may be

// In a message's answer, control characters are made visible.
const BLANK_LINE = /(?:(?:\r|\\r|\\u000d)?(?:\n|\\n|\\u000a)){2}/;

const whole: [string, { skip: string | false }, () => Promise<string>, string, string][] = [
  ["nginx, 5 MB", needs("nginx"), nginx, get("/big"), BIG],
  ["nginx, 2 s late", needs("nginx"), nginx, get("/late"), LATE],
  ["Node's https, 5 MB", needs(), node, get("/big"), BIG],
  ["Node's https, 50 ms late", needs(), node, get("/late"), LATE],
  ["Python's http.server, 5 MB", needs("python3"), python, get("/big"), BIG],
  ["ncat -c cat", needs("ncat"), ncat, ECHO, ECHO],
];
for (const [name, skip, peer, request, body] of whole)
  test(`the whole answer of ${name}`, skip, async () => {
    // None of these servers waits for our end; and on a busy machine, any may be silent for a while.
    const args = ["--port", await peer(), "--half-close", "30"];
    for (const { code, stdout, stderr, streamed } of await ask(args, request)) {
      assert.match(stderr, /^TLSv1\.[23], [^\n]* Verified: [^\n]*\n$/);
      assert.equal(code, 0);
      const answer = streamed ? stdout : stdout.slice("Response from server: ".length, -1);
      if (!streamed) assert.equal(stdout, `Response from server: ${answer}\n`);
      const [head, rest] = request === body ? [, answer] : answer.split(BLANK_LINE);
      if (head !== undefined) assert.match(head, /^HTTP\/1\.[01] 200 OK/);
      assert.ok(rest === body, `${rest?.length} of ${body.length} bytes`);
    }
  });

/**
 * Runs the client with a message and through standard input, both at once: which on a busy machine may take
 * longer than the client's own limit for a handshake, or for an answer. (What is a matter of luck as well is
 * tried by make fuzz, as often as there is time.)
 */
async function ask(args: string[], request: string) {
  const runs = [false, true].map(async (streamed) => {
    const options = streamed ? { input: request } : {};
    const all = ["--timeout", "60", ...args, streamed ? "-" : request];
    return { streamed, ...(await runScript("tls-client", all, options)) };
  });
  return Promise.all(runs);
}

type Serve = (socket: TLSSocket, reset: () => void) => void;
const strict = () => ({ requestCert: true, ca: pem(development) });
const broken: [string, Serve, (() => TlsOptions)?][] = [
  ["ends without a byte of answer", (socket) => socket.once("data", () => socket.end())],
  ["resets right after the message", (socket, reset) => socket.once("data", reset)],
  ["refuses the client's certificate without an alert", (socket) => socket.pipe(socket), strict],
];
for (const [name, serve, options] of broken)
  test(`no success: a server that ${name}`, async () => {
    const { port } = await tlsServer([development], serve, options?.());
    const args = ["--port", port, ...(options ? pair(clients) : [])];
    for (const run of await ask(args, "hello")) {
      assert.match(run.stderr, /^TLSv1\.[23], [^\n]* Verified: [^\n]*\ntls-client: [^\n]+\n$/);
      if (!name.includes("reset")) assert.match(run.stderr, /certificate/); // which it may refuse
      assert.equal(run.stdout, "");
      assert.equal(run.code, 1);
    }
  });

test("a reset after part of an answer, and after our own end: the part, and exit 1", async () => {
  const { port } = await tlsServer([development], (socket, reset) => {
    socket.once("data", () => socket.write("half an ans")).on("end", reset);
  });
  for (const run of await ask(["--port", port, "--half-close", "0.2"], "hello")) {
    const part = run.streamed ? "half an ans" : "Response from server: half an ans\n";
    assert.equal(run.stdout, part);
    assert.match(run.stderr, /^tls-client: .* broke off before its answer was complete$/m);
    assert.equal(run.code, 1);
  }
});

test("what comes after our own end is still read", async () => {
  const { port } = await tlsServer([development], (socket) => {
    socket.once("data", () => socket.write("before")).on("end", () => socket.end(" and after"));
  });
  for (const run of await ask(["--port", port], "hello")) {
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /^(Response from server: )?before and after\n?$/);
  }
});

test("a server that answers only after our end", async () => {
  const { port } = await tlsServer([development], (socket) =>
    socket.on("end", () => socket.end("at last")),
  );
  for (const run of await ask(["--port", port], "hello")) {
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /^(Response from server: )?at last\n?$/);
  }
});

test("an echo is complete when as much has come back as went out: no --half-close passes", async () => {
  const args = ["--port", own.port, "--half-close", "600"]; // longer than a test may take
  for (const { code, stdout, stderr } of await ask(args, "안녕, 서버!")) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^(Response from server: )?안녕, 서버!\n?$/);
  }
  const unsent = await runScript("tls-client", [...args, ""]); // complete before it has begun
  assert.deepEqual([unsent.stdout, unsent.code], ["Response from server: \n", 0]);
});
