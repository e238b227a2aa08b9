// Input made at random, for as long as SECONDS says (60): `make fuzz`. Lists, whose verdicts must be those of
// sha256sum; servers, for which the client's success must mean that all was sent, and the whole answer; and
// clients, after which the server must be as it was. Case N of a run with a SEED is the first one of a run
// with SEED + N: so a finding, which is kept as a file, says what repeats it (with ONLY, its subject).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import * as tls from "node:tls";
import { ABC, MD5, SHA512, certs, files, runEach, startServer, until } from "./helpers.ts";

// What is set to nothing is not set.
const { ONLY = "", ...env } = process.env;
const [SEED, SECONDS] = [Number(env["SEED"] || Date.now() % 1e9), Number(env["SECONDS"] || 60)];
const MIB = 1024 * 1024;
let [findings, cases] = [0, 0];

/** Chance, the same each time for the same seed: SHAKE128 is as long as one asks for. */
function dice(seed: number) {
  const chance = createHash("shake128", { outputLength: 32_768 }).update(`${seed}`).digest();
  let at = 0;
  const below = (n: number) => chance.readUInt32LE((at += 4)) % (n || 1);
  const pick = <T>(...all: T[]) => all[below(all.length)]!;
  const times = <T>(n: number, make: () => T) => Array.from({ length: n }, make);
  return { below, pick, times, bytes: (n: number) => Buffer.from(times(n, () => 1 + below(253))) };
}

/** The cases that are next, each made of its own seed. */
const next = <T>(n: number, seed: number, make: (seed: number) => T): T[] =>
  Array.from({ length: n }, () => make(seed + cases++));
const event = (socket: net.Socket, name: string) => once(socket, name).catch(() => {});

/** Says what was found, and keeps what it takes to look into it. */
function finding(subject: string, seed: number, what: unknown, kept: string | Buffer) {
  findings++;
  const path = `${tmpdir()}/fuzz-${subject}-${seed}`;
  fs.writeFileSync(path, kept);
  console.log(`${subject}: ${what}; kept: ${path}; again: make fuzz ONLY=${subject} SEED=${seed}`);
}

// Lists: in each text here, a character stands for a byte.
const odd = "a b| x|*y|z|a(b)|c) = d|e=f|back\\slash|new\nline|re\rturn|\\n|\xff\xfe|\xc3\xbc|#c";
const there = [ABC, ...`plain|SHA256 (q)|  two|tab\t|${odd}`.split("|")];
for (const name of there) fs.writeFileSync(Buffer.from(`${files}/${name}`, "latin1"), "abc");
const names = [...there, ..."gone|plain/x|.||\xe9|\\|\n|\\\\r| |*|  gone".split("|")];

// Not in a list is what we mean to treat otherwise: a NUL, which ends sha256sum's lines; UTF-16's mark, 0xfe and
// 0xff; a line longer than any path; "-"; an escape that is none, but in tagged lines, where it decides no form.
function list(seed: number) {
  const { below, pick, times, bytes } = dice(seed);
  const lines = times(below(14), () => {
    const name = pick(...names);
    const escaped = name.replace(/[\\\n\r]/g, (c) => ({ "\\": "\\\\", "\n": "\\n" })[c] ?? "\\r");
    const mark = escaped !== name && below(9) ? "\\" : pick("", "", "", "\\");
    const [begin, path] = [pick("", "", "", " ", "\t ") + mark, mark ? escaped : name];
    const digest = pick(ABC, ABC, ABC, ABC.toUpperCase(), ABC.replace("b", "c"));
    const other = pick(MD5, SHA512, "0", "ab", ABC.slice(1), `${ABC}0`, ABC.replace("b", "g"));
    const gnu = `${begin}${digest}${pick("  ", "  ", " *", " ", "\t", "\t*")}${path}`;
    const is = pick(" = ", "= ", "=", " \t=") + digest;
    return pick(
      ...[gnu, gnu, gnu, `${begin}SHA256${pick(" ", "", "  ")}(${path})${is}`],
      `${begin}${other}${pick(" ", "  ", " *")}${path}`,
      `${begin}${pick("MD5", "SHA512", "SHA0")} (${path}) = ${pick(other, digest)}`,
      `${begin}${pick("SHA2-256", "sha256", "Sha-256")}(${path})${is}${pick("", " \t")}`,
      `\\SHA256 (${path}${pick("\\", "\\a")}) = ${digest}`,
      pick(...`|#|# ${gnu}| # b|x y|SHA256|SHA256 (x|${ABC}|${ABC} |\r`.split("|")),
      bytes(below(40)).toString("latin1"),
    );
  });
  const end = pick("\n", "\n", "\r\n");
  const text = pick("", "", "", "\xef\xbb\xbf") + lines.join(end) + pick("", end);
  const args = ["--ignore-missing", "--quiet", "--strict"].filter(() => !below(4));
  // Where no algorithm binds, a list may name others.
  if (below(2) || /^\W*(MD5|SHA512)/m.test(text)) args.push("--algorithm=sha256");
  const wide = !below(4) && /^[\0-\x7f]*$/.test(text);
  const file = `${files}/../list-${seed}`;
  fs.writeFileSync(file, wide ? `\ufeff${text}` : text, wide ? "utf16le" : "latin1");
  return { seed, text, args, file };
}

// For sha256sum: without a mark, other names of the algorithm, and blanks behind a tagged line.
const tagged = /(?<=^|\n)([ \t]*\\?)sha2?-?256( ?\([^\n]*?)[ \t]*(?=\r?(\n|$))/gi;
const forOther = (text: string) => text.replace(/^\xef\xbb\xbf/, "").replace(tagged, "$1SHA256$2");
/** A verdict as it compares: coreutils 9.1 and older escape a name only where a newline is in it. */
const plain = (verdicts: string) => verdicts.replaceAll("\\", "").replaceAll("\r", "r");

async function lists(seed: number): Promise<void> {
  const lists = next(100, seed, list);
  const commands = lists.map(({ args, file }) => ["--check", ...args, file]);
  const results = await runEach("hash", commands, { cwd: files, timeout: 60_000 });
  for (const [i, list] of lists.entries()) {
    const args = ["--check", ...list.args.filter((arg) => !arg.startsWith("--alg"))];
    const input = Buffer.from(forOther(list.text), "latin1");
    const { stdout, status } = spawnSync("sha256sum", args, { cwd: files, input });
    const [ours, theirs] = [results[i]!.stdout + results[i]!.code, `${stdout}${status}`];
    if (plain(ours) === plain(theirs)) continue;
    const what = `${JSON.stringify([ours, theirs])} (ours, theirs) with ${list.args}`;
    finding("lists", list.seed, what, fs.readFileSync(list.file));
  }
}

// Servers: the n-th byte of what is sent is always the same, so that a loss shows.
const bytes = Buffer.from(new Uint8Array(6 * MIB).map((_, i) => 33 + ((i * 7 + (i >> 8)) % 90)));
const certificate = (type: string) => fs.readFileSync(`${certs}/server.${type}`);
const some = (length: number) => bytes.subarray(0, length);

function plan(seed: number) {
  const { below, pick, times } = dice(seed);
  const raw = seed % 16 === 0; // standard input, not a message
  const sent = raw ? below(MIB) : pick(0, 1 + below(40), below(4000));
  const more = pick(0, 0, 1, -1, below(100), below(20_000), below(pick(MIB, 4 * MIB)));
  const answer = Math.max(0, pick(sent, sent, sent, 0) + more);
  // Cut anywhere, and just where as much has come back as went out.
  const cuts = [0, pick(0, sent), ...times(below(5), () => below(answer + 1))];
  const pieces = cuts.filter((at) => at <= answer).sort((a, b) => a - b);
  const pauses = pieces.map(() => pick(-1, -1, -1, 0, 1, below(30), pick(5, 250))); // ms; -1: none
  const begins = pick(0, Math.min(1, sent), sent, Infinity); // when so much has come, or our end
  const ends = pick(...times(6, () => "well"), "a reset", "a late reset", "a cut", "never");
  return { seed, raw, sent, answer, pieces, pauses, begins, ends, breaksAt: below(pieces.length) };
}
type Plan = ReturnType<typeof plan>;
type Result = Awaited<ReturnType<typeof runEach>>[0];

/** A server that does so to its one client. */
async function serving({ answer, pieces, pauses, begins, ends, breaksAt }: Plan) {
  const pair = { cert: certificate("crt"), key: certificate("key") };
  const server = tls.createServer({ ...pair, allowHalfOpen: true });
  let connection: net.Socket | undefined;
  let read = 0; // bytes
  server.on("connection", (socket) => (connection = socket.on("error", () => {})));
  server.on("secureConnection", async (socket) => {
    socket.on("error", () => {}).on("data", ({ length }) => (read += length));
    while (read < begins && !socket.readableEnded && !socket.destroyed) await setTimeout(1);
    for (const [i, from] of pieces.entries()) {
      if (ends !== "well" && i === breaksAt) {
        if (ends === "a late reset") await setTimeout(1000); // all has been read, and printed
        if (/reset/.test(ends)) connection!.resetAndDestroy();
        return void (ends === "a cut" && connection!.end());
      }
      socket.write(some(answer).subarray(from, pieces[i + 1]));
      if (pauses[i]! >= 0) await (pauses[i] ? setTimeout(pauses[i]) : setImmediate());
    }
    socket.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = () => void (server.close(), connection?.destroy());
  return { port: String((server.address() as net.AddressInfo).port), close, read: () => read };
}

/** What is wrong with a client's end, if anything is. */
function wrong({ answer, sent, ends, raw, begins }: Plan, { code, stdout, stderr }: Result) {
  const output = raw ? stdout : stdout.replace("Response from server: ", "").replace(/\n$/, "");
  if (!some(answer).toString().startsWith(output)) return "its output is not the answer";
  if (!/^TLSv1.3, [^\n]*\n(tls-client: [^\n]+\n)?$/.test(stderr)) return "it says something else";
  const fine = ends === "well" && begins >= sent && answer > 0;
  if (code !== 0) return fine && `status ${code} for nothing`;
  if (!answer > !sent || ends === "never") return "a success without an answer, or an end";
  // An end without a goodbye can't be told from a cut, nor a reset that comes with the last bytes (libuv).
  const known = ends === "a cut" || ends === "a reset";
  return !known && output.length < answer && `a success with ${output.length} of ${answer} bytes`;
}

async function servers(seed: number): Promise<void> {
  const plans = next(16, seed, plan); // one of them is raw
  const running = await Promise.all(plans.map(serving));
  const commands = plans.map(({ raw, sent, ends }, i) => {
    const wait = ["--half-close", "0.1", "--timeout", ends === "never" ? "0.5" : "10"];
    return [...wait, "--port", running[i]!.port, raw ? "-" : String(some(sent))];
  });
  const options = { timeout: 60_000, input: some(plans.find(({ raw }) => raw)!.sent) };
  const results = await runEach("tls-client", commands, options);
  for (const [i, plan] of plans.entries()) {
    const { read, close } = running[i]!;
    if (results[i]!.code === 0 && plan.ends === "well")
      await until(`${plan.sent} bytes of input`, read, (bytes) => bytes === plan.sent);
    close();
    const what = wrong(plan, results[i]!);
    if (what) finding("servers", plan.seed, what, JSON.stringify({ plan, ...results[i] }));
  }
}

// Clients.
const LINE = /^(Server st.*|Received: .+|Client [a-z ]+: (127\S+|\?)(, \d+ bytes|: [^_]*[\w.])?)$/;
const TWICE = /^Client [a-z ]+(: \S+:\d+):[^]*^Client [a-z ]+\1:/m;

/** A client behaves in some way, and leaves. Throws what is wrong with the server, if anything is. */
async function visit(port: number, seed: number, way?: string) {
  const { below, pick, bytes } = dice(seed);
  const resets = !way && below(2);
  way ??= pick("garbage", "echo", "echo", "flood", "idle", "spoilt");
  const size = way === "flood" ? 3 * MIB : below(pick(10, 1000, 200_000));
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const closed = event(socket, "close");
  socket.on("error", () => {});
  if (way === "garbage") socket.write(bytes(1 + below(500)));
  if (/echo|flood|spoilt/.test(way)) {
    const secure = tls.connect({ socket, ca: certificate("crt"), servername: "localhost" });
    secure.on("error", () => {}).allowHalfOpen = true;
    let back = 0;
    if (way !== "flood") secure.on("data", ({ length }) => (back += length));
    await Promise.race([event(secure, "secureConnect"), closed]);
    const step = (size >> 4) + 1 + below(size);
    for (let at = 0; at < size; at += step, await setImmediate())
      secure.write(some(size).subarray(at, at + step));
    if (way === "spoilt") socket.write(bytes(50));
    const whole = way === "echo" && !resets;
    if (whole) await Promise.race([event(secure.end(), "end"), closed, setTimeout(20_000)]);
    if (whole && back < size) throw `${back} of ${size} bytes came back`;
  }
  await setTimeout(below(700));
  if (resets) socket.resetAndDestroy();
  else await Promise.race([event(socket.end(), "close"), setTimeout(20)]);
  socket.destroy();
}

async function clients(seed: number): Promise<void> {
  const server = await startServer(["--idle-timeout", "5"]);
  const [log, proc] = [() => server.stdout() + server.stderr(), `/proc/${server.child.pid}`];
  const open = () => (fs.existsSync(proc) ? fs.readdirSync(`${proc}/fd`).length : 0); // on Linux
  const [first, ...others] = next(60, seed, Number);
  try {
    await visit(+server.port, first!, "echo");
    await until("its end", log, (text) => text.includes("disconnected"));
    const before = open();
    // Now and then it stands still, as on a busy machine: what comes meanwhile is there at once.
    const stalls = setInterval(() => {
      if (server.child.kill("SIGSTOP")) setTimeout(50).then(() => server.child.kill("SIGCONT"));
    }, 100);
    await Promise.all(others.map((seed) => visit(+server.port, seed)));
    clearInterval(stalls);
    await visit(+server.port, first!, "echo");
    await until(`${before} descriptors`, open, (now) => now <= before);
    const pages = before && Number(fs.readFileSync(`${proc}/statm`, "utf8").split(" ")[1]);
    if (pages > (250 * MIB) / 4096) throw `it has ${pages} pages of memory`;
    if ((await server.stop()) !== 0) throw "it did not end well";
    for (const line of log().split("\n")) if (line && !LINE.test(line)) throw line;
    if (TWICE.test(server.stderr())) throw "two lines for one client";
  } catch (what) {
    finding("clients", first!, what, log());
    server.child.kill("SIGKILL");
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1)); // and all ends
await (await startServer()).stop(); // which makes the certificates
console.log(`SEED=${SEED}`);
const gnu = /GNU/.test(String(spawnSync("sha256sum", ["--version"]).stdout));
if (!gnu) console.log("lists: skipped, no GNU sha256sum here");
const subjects = Object.entries({ ...(gnu && { lists }), servers, clients });
for (const [name, subject] of subjects) {
  if (ONLY && name !== ONLY) continue;
  const end = performance.now() + (SECONDS * 1000) / (ONLY ? 1 : subjects.length);
  const run = async () => {
    do await subject(SEED).catch((error) => finding(name, SEED + cases, error, `${error.stack}`));
    while (performance.now() < end && findings < 10);
  };
  cases = 0;
  await Promise.all([run(), run(), run()]);
  console.log(`${name}: ${cases} cases`);
}
process.exit(findings > 0 ? 1 : 0);
