// tls-client.ts at its edges: answers that come while it ends, who is to blame, whose policy holds, and what
// would never end.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { before, test } from "node:test";
import type { TLSSocket } from "node:tls";
import {
  inScratch as file,
  linux,
  run,
  runEach,
  runScript,
  runShell,
  startScript,
  startServer,
  startShell,
  uncounted,
  until,
} from "./helpers.ts";
import {
  ipv6,
  issue,
  openssl,
  opensslServer,
  pair,
  plainServer,
  refuses,
  tlsServer,
  to,
} from "./peers.ts";

uncounted();

before(async () => {
  if (openssl.skip) return;
  await issue("good");
  await issue("rsa", { key: "rsa:2048" });
  await issue("short", { key: "rsa:1024" });
});

test("an answer of as many bytes as were sent, and then more, arrives whole", openssl, async () => {
  const [sent, more] = [5_000, 70_000];
  const input = "x".repeat(sent);
  const peer = await tlsServer(["good"], (socket) => {
    let left = sent;
    socket.on("data", (chunk: Buffer) => {
      if ((left -= chunk.length) > 0) return;
      // The first piece is as much as was sent: whoever ends there and then loses the others.
      for (let i = 0; i < more; i += sent) socket.write("y".repeat(sent));
      socket.end();
    });
  });
  writeFileSync(file("five thousand"), input);
  const message = () => runScript("tls-client", [...to(peer), input]);
  const streamed = () => runShell(`"$@" - < "${file("five thousand")}"`, "tls-client", to(peer));
  const runs = [message, streamed, message, streamed];
  for (const { code, stdout, stderr } of await Promise.all(runs.map((run) => run())))
    assert.deepEqual([code, stdout.match(/y/g)?.length], [0, more], stderr);
});

test("a line end, or a character, in two pieces is one; a lone CR is none", openssl, async () => {
  const [half, other] = [Buffer.from("한").subarray(0, 2), Buffer.from("한").subarray(2)];
  const pieces = ["one\r", "\ntwo\r", "three\r\r", "\n", half, other, "four\r"];
  const peer = await tlsServer(["good"], async (socket) => {
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 100)); // so that each arrives alone
    }
    socket.resume().end();
  });
  const { stdout } = await runScript("tls-client", [...to(peer), "hello"]);
  assert.equal(stdout, "Response from server: one\ntwo\\rthree\\r\n한four\\r\n");
});

test("--timeout is for each wait, as often as there is one", openssl, async () => {
  const peer = await tlsServer(
    ["good"],
    (socket) => void socket.on("data", (chunk) => socket.write(chunk)),
  );
  const args = [...to(peer), "--timeout", "0.5", "--half-close", "0.2", "-"];
  const client = startScript("tls-client", args);
  client.child.stdin!.write("x");
  await client.prints(/x$/);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // the pause is the subject
  client.child.stdin!.end();
  assert.equal(await client.exit, 1);
  assert.equal(client.stdout(), "x");
  const line = /^tls-client: the answer of localhost:\d+ did not come in time; see --timeout$/m;
  assert.match(client.stderr(), line);
});

test("what standard input has is not the connection's fault", openssl, async () => {
  const peer = await tlsServer(["good"]);
  const { code, stderr } = await runShell(`"$@" - < /`, "tls-client", to(peer));
  assert.match(
    stderr,
    /Verified: [^\n]*\ntls-client: cannot read standard input: is a directory\n$/,
  );
  assert.equal(code, 1);
});

test("what is no TLS any more is not the input's fault", openssl, async () => {
  const peer = await tlsServer(["good"]);
  let spoil = () => {};
  const relay = await plainServer((socket) => {
    const onward = connect(+peer.port, "127.0.0.1");
    socket
      .on("error", () => {})
      .pipe(onward)
      .pipe(socket);
    spoil = () => void socket.write(Buffer.alloc(100));
  });
  const client = startScript("tls-client", [...to(relay), "-"]); // whose input stays open
  client.child.stdin!.write("x");
  await client.prints(/x$/);
  spoil();
  assert.equal(await client.exit, 1);
  assert.match(
    client.stderr(),
    /Verified: [^\n]*\ntls-client: what comes from localhost:\d+ is no longer TLS: [^\n]+\n$/,
  );
});

/** How many bytes the system holds on their way to this port, and from it. */
function held(port: string): number {
  const end = new RegExp(`:${(+port).toString(16).padStart(4, "0")}$`, "i");
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((row) => row.trim().split(/\s+/))
    .filter(([, from = "", to = ""]) => end.test(from) || end.test(to))
    .flatMap((row) => row[4]!.split(":"))
    .reduce((sum, size) => sum + parseInt(size, 16), 0);
}

test("an input whose last did not go out is no success", linux("/proc", "openssl"), async () => {
  let room = Infinity; // bytes that the system holds of what a server doesn't take
  for (const size of [() => 16_000_000, () => room + 500_000]) {
    writeFileSync(file("input"), Buffer.alloc(size()));
    let taker: TLSSocket | undefined;
    const peer = await tlsServer(["good"], (socket) => void (taker = socket.pause()));
    const client = startShell(`"$@" - < ${file("input")}`, "tls-client", to(peer));
    await client.prints(/Verified/);
    let since = 0;
    const full = () => {
      const now = held(peer.port);
      if (now !== room) [room, since] = [now, performance.now()];
      return performance.now() - since; // ms
    };
    await until("all that goes anywhere", full, (unchanged) => room > 0 && unchanged > 1000);
    taker!.write("bye");
    taker!.end();
    await client.prints(/bye/);
    taker!.destroy();
    assert.equal(await client.exit, 1, `${size()} bytes, of which ${room} went out`);
    assert.match(client.stderr(), /^tls-client: .* (before the input did|broke off before .*)$/m);
  }
});

// A TLS 1.2 server, made by hand, whose ServerHello lacks renegotiation_info (RFC 5746).
const HELLO = Buffer.concat([
  Buffer.from("160303002a" + "02000026" + "0303", "hex"),
  Buffer.alloc(32, 7), // its random
  Buffer.from("00" + "c02f" + "00", "hex"), // no session, ECDHE-RSA-AES128-GCM-SHA256
]);

test("what speaks TLS, and fails for a reason of its own, has that reason", openssl, async () => {
  const old = await plainServer((socket) => void socket.once("data", () => socket.write(HELLO)));
  const lines = await refuses([
    [["--port", old.port], /the handshake with localhost:\d+ failed: /],
  ]);
  assert.doesNotMatch(lines[0]!, /speak TLS/);
});

test("weak is named as what is weak", openssl, async () => {
  await run("openssl", ["dhparam", "-out", file("dh.pem"), "1024"]);
  const more = [
    "-tls1_2",
    "-cipher",
    "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0",
    "-dhparam",
    file("dh.pem"),
  ];
  const dh = await opensslServer("rsa", more);
  const short = await tlsServer(["short"]);
  await refuses([
    [to(dh), /^tls-client: the key exchange of localhost:\d+ is too weak/],
    [to(short), /: a certificate of localhost:\d+, .* has too weak a key or signature/],
    [[...to(short), ...pair("short")], /: --cert \S*short\.crt can't be used: .*2048 bits/],
  ]);
  dh.child.kill();
});

test("where --ca was given, the advice isn't to give it", openssl, async () => {
  await issue("self", { by: "self" });
  const [self, stranger] = [await tlsServer(["self"]), await tlsServer(["good"])];
  await issue("other", { by: "other-root" });
  const lines = await refuses([
    [to(self), /self-signed, and not in --ca/],
    [to(stranger, "other-root"), /an issuer that is not in --ca/],
  ]);
  for (const line of lines) assert.doesNotMatch(line, /trust it, use --ca/);
});

test("the reader's stricter policy holds", openssl, async () => {
  const [rsa, old] = [
    await tlsServer(["rsa"]),
    await tlsServer(["rsa"], undefined, { maxVersion: "TLSv1.2" }),
  ];
  const conf = file("openssl.cnf");
  writeFileSync(
    conf,
    "nodejs_conf = n\n[n]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\nCipherString = DEFAULT@SECLEVEL=3\n",
  );
  const cases: [string[], NodeJS.ProcessEnv, RegExp][] = [
    [to(old), { NODE_OPTIONS: "--tls-min-v1.3" }, /too old to be safe \(before 1\.3\)/],
    [to(rsa), { NODE_OPTIONS: "--tls-cipher-list=DEFAULT@SECLEVEL=3" }, /too weak/],
    [to(rsa), { NODE_OPTIONS: `--openssl-config=${conf}` }, /too weak/],
    [to(rsa), { OPENSSL_CONF: conf }, /too weak/],
  ];
  for (const [args, env, line] of cases) await refuses([[args, line]], { env });
});

test("a policy of one's own is not taken for the server's fault", openssl, async () => {
  const server = await startServer(["--quiet"]);
  const args = ["--port", server.port];
  const list = { NODE_OPTIONS: "--tls-cipher-list=TLS_CHACHA20_POLY1305_SHA256" };
  const { code, stderr } = await runScript("tls-client", args, { env: list });
  assert.match(stderr, /^TLSv1\.3, TLS_CHACHA20_POLY1305_SHA256\. Verified/);
  assert.equal(code, 0);
  const limit = { env: { NODE_OPTIONS: "--tls-max-v1.2" } };
  await refuses(
    [[args, /has no version of TLS in common with us: here it is 1\.2 to 1\.2$/m]],
    limit,
  );
  await server.stop();
});

test("--inspect ends, also where two CAs have signed each other", openssl, async () => {
  const [a, b] = [file("a.crt"), file("b.crt")];
  await issue("first", { by: "first", constraints: "CA:TRUE" });
  await issue("second", { by: "second", constraints: "CA:TRUE" });
  await issue("leaf", { by: "first" });
  for (const [subject, signer, out] of [
    ["first", "second", a],
    ["second", "first", b],
  ] as const)
    await run("openssl", [
      ...["x509", "-x509toreq", "-in", file(`${subject}.crt`), "-signkey", file(`${subject}.key`)],
      ...["-out", file(`${subject}.req`)],
    ]).then(() =>
      run("openssl", [
        ...["x509", "-req", "-in", file(`${subject}.req`), "-CA", file(`${signer}.crt`)],
        ...["-CAkey", file(`${signer}.key`), "-days", "9", "-set_serial", "7", "-out", out],
      ]),
    );
  writeFileSync(file("circle.crt"), (await run("cat", [a, b])).stdout);
  const peer = await tlsServer(["leaf"]);
  const { code, stdout } = await runScript("tls-client", [...to(peer, "circle"), "--inspect"]);
  assert.match(stdout, /^Certificate 0\n  Subject: [^]*^Refused: /m);
  assert.equal(code, 1);
});

test("--inspect tells what the server sent from what is trusted here", openssl, async () => {
  const [peer, whole] = [await tlsServer(["good"]), await tlsServer(["good", "root"])];
  const cases = [peer, whole].map((peer) => [...to(peer), "--inspect"]);
  const [own, sent] = await runEach("tls-client", cases);
  assert.match(
    own!.stdout,
    /^Certificate 0\n[^]*^Certificate 1, which is trusted here; the server did not send it\n  Subject:     CN=root$/m,
  );
  assert.equal(own!.code, 0);
  assert.match(sent!.stdout, /^Certificate 1\n  Subject:     CN=root$/m);
  assert.doesNotMatch(sent!.stdout, /did not send/);
});

test("the zone of an address is for connecting only", { ...ipv6, ...openssl }, async () => {
  const server = await startServer(["--host", "::1"]);
  const args = [
    "--port",
    server.port,
    "--host",
    process.platform === "linux" ? "::1%lo" : "::1%lo0",
  ];
  const { code, stderr } = await runScript("tls-client", args);
  assert.match(stderr, /Verified: ::1, until/);
  assert.equal(code, 0);
  await server.stop();
});

// A name server that gets questions and never answers, in a world of its own: with another resolv.conf.
const alone = {
  skip: spawnSync("unshare", ["-m", "true"]).status !== 0 && "no mount namespaces here",
};
test("a name server that doesn't answer: in time, and at an end", alone, async () => {
  const silent = createSocket("udp4");
  silent.bind(53, "127.0.0.53");
  await once(silent, "listening");
  writeFileSync(file("resolv.conf"), "nameserver 127.0.0.53\n");
  const program = `mount --bind ${file("resolv.conf")} /etc/resolv.conf && exec "$@" --host a.test --timeout 1`;
  const begin = performance.now();
  const { code, stderr } = await runShell(
    `exec unshare -m sh -c '${program}' sh "$@"`,
    "tls-client",
    [],
  );
  const seconds = (performance.now() - begin) / 1000;
  silent.close();
  assert.match(
    stderr,
    /^tls-client: there is no host named a\.test, or no name server that answers\. [^\n]*\n$/,
  );
  assert.equal(code, 1);
  assert.ok(seconds < 8, `it took ${seconds} s`); // not the 10 of glibc
});
