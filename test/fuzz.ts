// Input made at random, for as long as SECONDS says (60): `make fuzz`. Lists, whose verdicts must be those of
// sha256sum; servers, for which the client's success must mean the whole answer; and clients, after which the
// server must be as it was. Case N of a run with a SEED is the first one of a run with SEED + N: that is how
// a finding, which is kept as a file, says what repeats it (with ONLY, its subject).
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import * as tls from "node:tls";
import * as helpers from "./helpers.ts";

const { SEED = Date.now() % 1e9, SECONDS = 60, ONLY } = process.env;
const { certs, files, runEach, startServer, until } = helpers;
const { ABC, MD5, SHA512 } = helpers;
const MIB = 1024 * 1024;
let [findings, cases] = [0, 0];

/** Chance, the same each time for the same seed (mulberry32). */
function dice(seed: number) {
  const below = (n: number) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
  const pick = <T>(...all: T[]) => all[below(all.length)]!;
  const times = <T>(n: number, make: () => T) => Array.from({ length: n }, make);
  return { below, pick, times, bytes: (n: number) => Buffer.from(times(n, () => 1 + below(255))) };
}

/** The cases that are next, each made of its own seed. */
const next = <T>(n: number, seed: number, make: (seed: number) => T): T[] =>
  Array.from({ length: n }, () => make(seed + cases++));

/** Says what was found, and keeps what it takes to look into it. */
function finding(subject: string, seed: number, what: unknown, kept: string | Buffer) {
  findings++;
  const path = `${tmpdir()}/fuzz-${subject}-${seed}`;
  fs.writeFileSync(path, kept);
  console.log(`${subject}: ${what}; kept: ${path}; again: make fuzz ONLY=${subject} SEED=${seed}`);
}

// Lists: in each text here, a character stands for a byte.

const odd = "a b| x|*y|z|a(b)|c) = d|e=f|back\\slash|new\nline|re\rturn|\\n|\xff\xfe|\xc3\xbc|#c";
const there = [..."plain|SHA256 (q)|  two|tab\t".split("|"), ABC, ...odd.split("|")];
const names = [...there, ..."gone|plain/x|.||\xe9|\\|\n|\\\\r| |*|  gone".split("|")];

/**
 * A list. Not in it is what we mean to treat in another way than sha256sum: a NUL, which ends its lines; a
 * line longer than any path; "-", for there is one standard input; and an escape that is none, but in tagged
 * lines: for sha256sum it may decide the form of the list, for us only a proper line does.
 */
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
  return { seed, text, args };
}

// For sha256sum: without a mark, other names of the algorithm, and blanks behind a tagged line.
const tagged = /^([ \t]*\\?)sha2?-?256( ?\([^]*?)[ \t]*(\r?)$/i;
const forOther = (text: string) =>
  text
    .replace(/^\xef\xbb\xbf/, "")
    .replace(/[^\n]+/g, (all) => all.replace(tagged, "$1SHA256$2$3"));

/** A verdict as it compares: coreutils 9.1 and older escape a name only where a newline is in it. */
const plain = (verdicts: string) => verdicts.replaceAll("\\", "").replaceAll("\r", "r");

/** Which of the lists have verdicts that are not sha256sum's, and what came out for each. */
async function differing(lists: ReturnType<typeof list>[]) {
  for (const [i, { text }] of lists.entries())
    fs.writeFileSync(`${files}/../list-${i}`, text, "latin1");
  const commands = lists.map(({ args }, i) => ["--check", ...args, `../list-${i}`]);
  const results = await runEach("hash", commands, { cwd: files, timeout: 60_000 });
  return lists.flatMap((list, i) => {
    const args = ["--check", ...list.args.filter((arg) => !arg.startsWith("--alg"))];
    const input = Buffer.from(forOther(list.text), "latin1");
    const { stdout, status } = spawnSync("sha256sum", args, { cwd: files, input });
    const [ours, theirs] = [results[i]!.stdout + results[i]!.code, `${stdout}${status}`];
    const what = `${JSON.stringify([ours, theirs])} (ours, theirs) with ${list.args}`;
    return plain(ours) === plain(theirs) ? [] : [{ list, what }];
  });
}

async function lists(seed: number): Promise<void> {
  for (const name of there) fs.writeFileSync(Buffer.from(`${files}/${name}`, "latin1"), "abc");
  for (let least of await differing(next(100, seed, list))) {
    // As few lines as make the difference.
    for (let less: typeof least | undefined = least; less; least = less ?? least) {
      const lines = least.list.text.split("\n");
      const without = lines.map((_, i) => lines.filter((_, j) => j !== i).join("\n"));
      [less] = await differing(without.map((text) => ({ ...least.list, text })));
    }
    finding("lists", least.list.seed, least.what, Buffer.from(least.list.text, "latin1"));
  }
}

// Servers: the n-th byte of what is sent is always the same, so that a loss shows.

const bytes = Buffer.alloc(6 * MIB);
for (let i = 0; i < bytes.length; i++) bytes[i] = 33 + ((i * 7 + (i >> 8)) % 90);
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

/** A server that does so to its one client. */
async function serving({ answer, pieces, pauses, begins, ends, breaksAt }: Plan) {
  const [cert, key] = [certificate("crt"), certificate("key")];
  const server = tls.createServer({ cert, key, allowHalfOpen: true });
  let connection: net.Socket | undefined;
  server.on("connection", (socket) => (connection = socket.on("error", () => {})));
  server.on("secureConnection", async (socket) => {
    let read = 0;
    socket.on("error", () => {}).on("data", ({ length }) => (read += length));
    while (read < begins && !socket.readableEnded && !socket.destroyed) await setTimeout(1);
    for (const [i, from] of pieces.entries()) {
      if (ends !== "well" && i === breaksAt) {
        if (ends === "a late reset") await setTimeout(300);
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
  return { port: String((server.address() as net.AddressInfo).port), close };
}

/** What is wrong with a client's end, if anything is. */
function wrong({ answer, sent, ends, raw, begins }: Plan, code: number | string, stdout: string) {
  const output = raw ? stdout : stdout.replace("Response from server: ", "").replace(/\n$/, "");
  if (!some(answer).toString().startsWith(output)) return "its output is not the answer";
  const fine = ends === "well" && begins >= sent && answer > 0;
  if (code !== 0) return fine && `status ${code} for nothing`;
  if (!answer > !sent || ends === "never") return "a success without an answer, or an end";
  // An end without a goodbye can't be told from a cut; and Node 24 and older take a reset that comes with the
  // last bytes for an end.
  const known = ends === "a cut" || (ends === "a reset" && parseInt(process.versions.node) < 26);
  return !known && output.length < answer && `a success with ${output.length} of ${answer} bytes`;
}

async function servers(seed: number): Promise<void> {
  const batch = async () => {
    const plans = next(16, seed, plan); // one of them is raw
    const running = await Promise.all(plans.map(serving));
    const commands = plans.map(({ raw, sent, ends }, i) => {
      const wait = ["--half-close", "0.1", "--timeout", ends === "never" ? "0.5" : "10"];
      return [...wait, "--port", running[i]!.port, raw ? "-" : String(some(sent))];
    });
    const options = { timeout: 60_000, input: some(plans.find(({ raw }) => raw)!.sent) };
    const results = await runEach("tls-client", commands, options);
    for (const [i, plan] of plans.entries()) {
      running[i]!.close();
      const what = wrong(plan, results[i]!.code, results[i]!.stdout);
      if (what) finding("servers", plan.seed, what, JSON.stringify({ plan, ...results[i] }));
    }
  };
  await Promise.all([batch(), batch(), batch()]);
}

// Clients.

const LINE =
  /^(Server st.*|Received: .+|Client [a-z ]+: (127.0.0.1:\d+|\?)(, \d+ bytes|: [^_]*[\w.])?)$/;
const HELLO = Buffer.from(`1603010200010001fc0303${"ab".repeat(32)}20`, "hex"); // half of one
const ways = "garbage hello echo echo flood idle TLSv1.2 spoilt".split(" ");
const event = (socket: net.Socket, name: string) => once(socket, name).catch(() => {});

/** A client behaves in some way, and leaves. Returns what is wrong with the server, if anything is. */
async function visit(port: number, seed: number, only?: string) {
  const { below, pick, bytes } = dice(seed);
  const way = only ?? pick(...ways);
  const size = way === "flood" ? 3 * MIB : below(pick(10, 1000, 200_000));
  const [stays, resets, step] = [below(700), !only && below(2), (size >> 4) + 1 + below(size)];
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  const closed = event(socket, "close");
  if (way === "hello") socket.write(HELLO.subarray(0, below(60)));
  if (/garbage|hello/.test(way)) socket.write(bytes(1 + below(500)));
  if (/echo|flood|TLS|spoilt/.test(way)) {
    const [ca, maxVersion] = [certificate("crt"), way === "TLSv1.2" ? way : "TLSv1.3"] as const;
    const secure = tls.connect({ socket, ca, servername: "localhost", maxVersion });
    secure.on("error", () => {}).allowHalfOpen = true;
    let back = 0;
    if (way !== "flood") secure.on("data", ({ length }) => (back += length));
    await Promise.race([event(secure, "secureConnect"), closed]);
    for (let at = 0; at < size; at += step, await setImmediate())
      secure.write(some(size).subarray(at, at + step));
    if (way === "spoilt") socket.write(bytes(50));
    if (way === "echo" && !resets) {
      await Promise.race([event(secure.end(), "end"), closed, setTimeout(20_000)]);
      if (back < size) return `${back} of ${size} bytes came back`;
    }
  }
  await setTimeout(stays);
  if (resets) socket.resetAndDestroy();
  else await Promise.race([event(socket.end(), "close"), setTimeout(20)]);
  return void socket.destroy();
}

async function clients(seed: number): Promise<void> {
  const server = await startServer(["--idle-timeout", "5"]);
  const [log, proc] = [() => server.stdout() + server.stderr(), `/proc/${server.child.pid}`];
  const open = () => (fs.existsSync(proc) ? fs.readdirSync(`${proc}/fd`).length : 0); // on Linux
  const [first, ...others] = next(60, seed, Number);
  const go = async (some: number[], way?: string) => {
    const all = await Promise.all(some.map((seed) => visit(+server.port, seed, way)));
    for (const wrong of all) if (wrong) throw wrong;
  };
  const check = async () => {
    await go([first!], "echo");
    await until("its end", log, (text) => text.includes("disconnected"));
    const before = open();
    await go(others.slice(9));
    await go([first!], "echo");
    await until(`${before} descriptors`, open, (now) => now <= before);
    const status = before ? fs.readFileSync(`${proc}/status`, "utf8") : "";
    const memory = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
    if (memory > 250) throw `it has ${memory} MiB`;
    const late = go(others.slice(0, 9)).catch(() => {}); // they may be cut off when it has to stop
    await setTimeout(first! % 500);
    const code = await Promise.race([server.stop(), setTimeout(10_000, "nothing for 10 s")]);
    if (code !== 0) throw `it ended with ${code}`;
    for (const line of log().split("\n")) if (line && !LINE.test(line)) throw line;
    await late;
  };
  await check().catch((what) => finding("clients", first!, what, log()));
  server.child.kill("SIGKILL");
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1)); // and all ends
await (await startServer()).stop(); // which makes the certificates
console.log(`SEED=${SEED}`);
const all = Object.entries({ lists, servers, clients }).filter(([name]) => name === (ONLY ?? name));
for (const [name, subject] of all) {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  for (cases = 0; seconds() < Number(SECONDS) / all.length && findings < 10;)
    await subject(+SEED).catch((error) => finding(name, +SEED + cases, error, `${error.stack}`));
  console.log(`${name}: ${cases} cases, ${(cases / seconds()).toFixed(1)}/s`);
}
process.exit(findings > 0 ? 1 : 0);
