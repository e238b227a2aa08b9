// Input made at random, for as long as SECONDS says (60): `make fuzz`. Lists, whose verdicts must be those of
// sha256sum; servers, for which the client's success must mean the whole answer; and clients, after which the
// server must be as it was. Case N of a run with a SEED is the first one of a run with SEED + N: that is how
// a finding, which is kept as a file, says what repeats it (with ONLY, its subject).
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import * as tls from "node:tls";
import {
  ABC,
  certs,
  files,
  MD5,
  runEach,
  runScript,
  SHA512,
  startServer,
  until,
} from "./helpers.ts";

const { SEED = Date.now() % 1e9, SECONDS = 60, ONLY } = process.env;
const MIB = 1024 * 1024;
const LINUX = process.platform === "linux";
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

/** Says what was found, and keeps what it takes to look into it. */
function finding(subject: string, seed: number, what: string, kept: string | Buffer, type: string) {
  findings++;
  const path = join(tmpdir(), `fuzz-${subject}-${seed}.${type}`);
  fs.writeFileSync(path, kept);
  console.log(`${subject}: ${what}; kept: ${path}; again: make fuzz ONLY=${subject} SEED=${seed}`);
}

/** Makes the cases that are next. */
const next = <T>(n: number, seed: number, make: (seed: number) => T): T[] =>
  Array.from({ length: n }, () => make(seed + cases++));

// Lists: in each text here, a character stands for a byte.

const there = [
  "plain",
  "a b",
  " x",
  "*y",
  "z",
  "a(b)",
  "c) = d",
  "e=f",
  "back\\slash",
  "new\nline",
];
there.push(
  "re\rturn",
  "tab\t",
  "\xff\xfe",
  "\xc3\xbc",
  "#c",
  "SHA256 (q)",
  ABC,
  "  two",
  "\\n",
  "'",
);
const names = [
  ...there,
  "gone",
  "plain/x",
  ".",
  "",
  "\xe9",
  "\\",
  "\n",
  "\\\\r",
  " ",
  "*",
  "  gone",
];

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
    const odd = pick(MD5, SHA512, "0", "ab", ABC.slice(1), `${ABC}0`, ABC.replace("b", "g"));
    const gnu = `${begin}${digest}${pick("  ", "  ", " *", " ", "\t", "\t*")}${path}`;
    const is = pick(" = ", "= ", "=", " \t=");
    return pick(
      ...[gnu, gnu, gnu, `${begin}SHA256${pick(" ", "", "  ")}(${path})${is}${digest}`],
      `${begin}${odd}${pick(" ", "  ", " *")}${path}`,
      `${begin}${pick("MD5", "SHA512", "SHA0")} (${path}) = ${pick(odd, digest)}`,
      `${begin}${pick("SHA2-256", "sha256", "Sha-256")}(${path})${is}${digest}${pick("", " \t")}`,
      `\\SHA256 (${path}${pick("\\", "\\a")}) = ${digest}`,
      pick(
        "",
        "#",
        `# ${gnu}`,
        " # b",
        "Hello",
        "SHA256",
        "SHA256 (x",
        ABC,
        `${ABC} `,
        "\r",
        "x y",
      ),
      bytes(below(40)).toString("latin1"),
    );
  });
  const end = pick("\n", "\n", "\r\n");
  const text = pick("", "", "", "\xef\xbb\xbf") + lines.join(end) + pick("", end);
  const args = ["--ignore-missing", "--quiet", "--strict"].filter(() => !below(4));
  // Where no algorithm binds, a list may name others.
  if (below(2) || /^\W*(MD5|SHA512)/m.test(text)) args.push("--algorithm=sha256");
  return { seed, text, args, utf16: !below(8) };
}
type List = ReturnType<typeof list>;

/** The list for us; now and then as PowerShell would write it, if it is text. */
function ours({ text, utf16 }: List): Buffer {
  const [bytes, unicode] = [Buffer.from(text, "latin1"), Buffer.from(text, "latin1").toString()];
  if (!utf16 || text.startsWith("\xef") || !Buffer.from(unicode).equals(bytes)) return bytes;
  return Buffer.from(`\ufeff${unicode}`, "utf16le");
}

/** For sha256sum: without a mark, other names of the algorithm, and blanks behind a tagged line. */
const theirs = ({ text }: List) =>
  text
    .replace(/^\xef\xbb\xbf/, "")
    .replace(/^([ \t]*\\?)sha2?-?256( ?\(.*?)[ \t]*(?=\r?$)/gim, "$1SHA256$2");

/** A verdict as it compares: coreutils 9.1 and older escape a name only where it has a newline in it. */
const plain = (verdicts: string) => verdicts.replaceAll("\\", "").replaceAll("\r", "r");

/** Which of the lists have verdicts that are not sha256sum's, and what came out for each. */
async function differing(lists: List[]) {
  const commands = lists.map((list, i) => {
    fs.writeFileSync(`${files}/../list-${i}`, ours(list));
    return ["--check", ...list.args, "--", `../list-${i}`];
  });
  const results = await runEach("hash", commands, { cwd: files, timeout: 60_000 });
  return lists.flatMap((list, i) => {
    const args = ["--check", ...list.args.filter((arg) => !arg.startsWith("--alg"))];
    const input = Buffer.from(theirs(list), "latin1");
    const other = spawnSync("sha256sum", args, { cwd: files, input, env: { LC_ALL: "C" } });
    const both = [results[i]!, { ...other, code: other.status }].map(({ stdout, code }) => [
      String(stdout),
      code,
    ]);
    const [a, b] = both.map(([stdout, code]) => plain(`${stdout}${code}`));
    return a === b ? [] : [{ list, what: `ours, theirs: ${JSON.stringify(both)}, ${args}` }];
  });
}

async function lists(seed: number, more: () => boolean): Promise<void> {
  for (const name of there) fs.writeFileSync(Buffer.from(`${files}/${name}`, "latin1"), "abc");
  while (more() && findings < 10)
    for (let least of await differing(next(100, seed, list))) {
      // As few lines as make the difference.
      for (let fewer: typeof least | undefined = least; fewer; least = fewer ?? least) {
        const lines = least.list.text.split("\n");
        const without = lines.map((_, i) => lines.filter((_, j) => j !== i).join("\n"));
        [fewer] = await differing(without.map((text) => ({ ...least.list, text })));
      }
      finding("lists", least.list.seed, least.what, ours(least.list), "list");
    }
}

// Servers: the n-th byte of what is sent is always the same, so that a loss shows.

const some = (length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => 33 + ((i * 7 + (i >> 8)) % 90)));

function plan(seed: number, raw: boolean) {
  const { below, pick, times } = dice(seed);
  const sent = raw ? below(pick(1000, MIB)) : pick(0, 1 + below(40), below(4000));
  const more = pick(0, 0, 1, -1, below(100), below(20_000), below(pick(MIB, 4 * MIB)));
  const answer = Math.max(0, pick(sent, sent, sent, 0) + more);
  // Cut anywhere, and just where as much has come back as went out.
  const cuts = [0, pick(0, sent), ...times(below(5), () => below(answer + 1))];
  const pieces = cuts.filter((at) => at <= answer).sort((a, b) => a - b);
  const pauses = pieces.map(() => pick(-1, -1, -1, 0, 1, below(30), pick(5, 250))); // ms; -1: none
  const begins = pick("at once", "while it reads", "when it has read", "after our end");
  const ends = pick(
    "well",
    "well",
    "well",
    "with a reset",
    "with a late reset",
    "cut off",
    "never",
  );
  return { seed, raw, sent, answer, pieces, pauses, begins, ends, breaksAt: below(pieces.length) };
}
type Plan = ReturnType<typeof plan>;

/** A server that does so to its one client. */
async function serving({ sent, answer, pieces, pauses, begins, ends, breaksAt }: Plan) {
  const [cert, key] = ["crt", "key"].map((type) => fs.readFileSync(join(certs, `server.${type}`)));
  const server = tls.createServer({ cert: cert!, key: key!, allowHalfOpen: true });
  let connection: net.Socket | undefined;
  server.on("connection", (socket) => (connection = socket.on("error", () => {})));
  server.on("secureConnection", async (socket) => {
    let read = 0;
    const all = new Promise<void>((done) => {
      if (sent === 0) done();
      else socket.on("data", ({ length }) => (read += length) >= sent && done());
    });
    const closed = once(
      socket.on("error", () => {}),
      "close",
    );
    if (begins === "while it reads" && sent > 0) await Promise.race([once(socket, "data"), closed]);
    if (begins === "when it has read") await Promise.race([all, closed]);
    if (begins === "after our end") await Promise.race([once(socket, "end"), closed]);
    for (const [i, from] of pieces.entries()) {
      if (ends !== "well" && i === breaksAt) {
        if (ends === "with a late reset") await setTimeout(300);
        if (ends.endsWith("reset")) connection!.resetAndDestroy();
        return void (ends === "cut off" && connection!.end());
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
  const whole = some(answer).toString();
  const output = raw ? stdout : stdout.replace("Response from server: ", "").replace(/\n$/, "");
  if (!whole.startsWith(output)) return "its output is not the answer";
  if (code !== 0)
    return (
      ends === "well" && /read$|end$/.test(begins) && answer > 0 && `status ${code} for nothing`
    );
  if ((answer === 0 && sent > 0) || ends === "never")
    return "a success without an answer or an end";
  // Without a goodbye, an end can't be told from a cut. And Node 24 and older take a reset that comes with the
  // last bytes for an end.
  if (ends === "cut off" || (ends === "with a reset" && parseInt(process.versions.node) < 26))
    return;
  return output !== whole && `a success with ${output.length} of ${answer} bytes`;
}

async function servers(seed: number, more: () => boolean): Promise<void> {
  // Many messages in one process, and now and then standard input, in one of its own.
  const batch = async (raw: boolean) => {
    const plans = next(raw ? 1 : 16, seed, (seed) => plan(seed, raw));
    const running = await Promise.all(plans.map(serving));
    const jobs = plans.map(({ raw, sent }, i) => [
      ...["--port", running[i]!.port, "--timeout", "1", "--half-close", "0.1"],
      raw ? "-" : some(sent).toString(),
    ]);
    const options = { timeout: 60_000, input: some(raw ? plans[0]!.sent : 0) };
    const done = raw
      ? [runScript("tls-client", jobs[0]!, options)]
      : runEach("tls-client", jobs, options);
    const results = await Promise.all(await done).finally(() =>
      running.forEach(({ close }) => close()),
    );
    plans.forEach((plan, i) => {
      const { code, stdout, stderr } = results[i]!;
      const what = wrong(plan, code, stdout);
      if (what)
        finding("servers", plan.seed, what, JSON.stringify({ plan, code, stderr, stdout }), "json");
    });
  };
  while (more() && findings < 10) await Promise.all([true, false, false, false].map(batch));
}

// Clients.

const LINE = new RegExp(
  `^(Server (started|stopped)\\W.*|Received: .+|Client (connected|disconnected|cut off|lost|refused|
turned away|left during the handshake): (127.0.0.1:\\d+|\\?)(, \\d+ bytes|: [^_]*[\\w.])?)$`.replace(
    "\n",
    "",
  ),
);
const WAYS = ["garbage", "hello", "echo", "echo", "flood", "idle", "old", "spoilt"];

/** A client behaves in some way, and leaves. Returns what is wrong with the server, if anything is. */
async function visit(port: number, seed: number, only?: string) {
  const { below, pick, bytes } = dice(seed);
  const [way, size] = [only ?? pick(...WAYS), below(pick(10, 1000, 200_000))];
  const [data, stays, resets] = [
    some(way === "flood" ? 3 * MIB : size),
    below(700),
    !only && below(2),
  ];
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const closed = once(
    socket.on("error", () => {}),
    "close",
  );
  await Promise.race([once(socket, "connect"), closed]);
  let back = 0;
  if (way === "garbage") socket.write(bytes(1 + below(500)));
  if (way === "hello") {
    // The beginning of a good handshake, or all of it with another byte in it.
    const part = Buffer.from(resets ? HELLO.subarray(0, below(HELLO.length)) : HELLO);
    if (!resets) part[below(part.length)]! ^= 1 + below(255);
    socket.write(part);
  }
  if (/echo|flood|old|spoilt/.test(way)) {
    const ca = fs.readFileSync(join(certs, "server.crt"));
    const maxVersion = way === "old" ? "TLSv1.2" : "TLSv1.3";
    const secure = tls.connect({ socket, ca, servername: "localhost", maxVersion });
    secure.on("error", () => {}).allowHalfOpen = true;
    if (way !== "flood") secure.on("data", ({ length }) => (back += length));
    await Promise.race([once(secure, "secureConnect").catch(() => {}), closed]);
    for (
      let from = 0, to;
      from < size || (way === "flood" && !from);
      from = to, await setImmediate()
    )
      secure.write(
        data.subarray(from, (to = way === "flood" ? data.length : from + 1 + below(size))),
      );
    if (way === "spoilt") socket.write(data);
    if (way === "echo" && !resets) {
      const end = once(secure.end(), "end").then(() => true);
      if (!(await Promise.race([end, closed, setTimeout(10_000)])) || back !== size)
        return `${back} of ${size} bytes came back`;
    }
  }
  await setTimeout(stays);
  if (resets) socket.resetAndDestroy();
  else await Promise.race([once(socket.end(), "close"), setTimeout(20)]);
  return void socket.destroy();
}

async function clients(seed: number, more: () => boolean): Promise<void> {
  while (more()) {
    const server = await startServer(["--idle-timeout", "5"]);
    const { pid } = server.child;
    const log = () => server.stdout() + server.stderr();
    const [first, ...others] = next(60, seed, Number);
    const go = (some: number[], way?: string) =>
      Promise.all(some.map((seed) => visit(Number(server.port), seed, way)));
    const open = () => (LINUX ? fs.readdirSync(`/proc/${pid}/fd`).length : 0);
    const odd: unknown[] = [];
    try {
      odd.push(...(await go([first!], "echo")));
      await until("the first client's end", log, (text) => text.includes("disconnected"));
      const before = open();
      odd.push(...(await go(others.slice(9))), ...(await go([first!], "echo")));
      await until(`${before} descriptors`, open, (now) => now <= before);
      const status = LINUX ? fs.readFileSync(`/proc/${pid}/status`, "utf8") : "";
      const memory = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
      if (memory > 250) odd.push(`it has ${memory.toFixed()} MiB`);
      const late = go(others.slice(0, 9)); // who are there when it has to stop
      await setTimeout(first! % 500);
      const code = await Promise.race([
        server.stop(),
        setTimeout(10_000, "nothing, 10 s after SIGTERM"),
      ]);
      if (code !== 0) odd.push(`it ended with ${code}`);
      await late;
      odd.push(
        ...log()
          .split("\n")
          .filter((line) => line && !LINE.test(line)),
      );
    } catch (error) {
      odd.push((error as Error).message);
    }
    server.child.kill("SIGKILL");
    const what = odd.find((one) => one);
    if (what) finding("clients", first!, JSON.stringify(what), log(), "log");
  }
}

/** What a client of TLS says first. */
async function hello(): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ port, servername: "localhost" }).on("error", () => {});
  const [socket] = (await once(server, "connection")) as [net.Socket];
  const [data] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  server.close();
  return data;
}

await (await startServer()).stop(); // which makes the certificates
const HELLO = await hello();
const seed = Number(SEED);
console.log(`SEED=${seed}`);
const subjects = Object.entries({ lists, servers, clients }).filter(
  ([name]) => name === (ONLY ?? name),
);
for (const [name, subject] of subjects) {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  cases = 0;
  await subject(seed, () => seconds() < Number(SECONDS) / subjects.length);
  console.log(`${name}: ${cases} cases, ${(cases / seconds()).toFixed(1)}/s`);
}
process.exit(findings > 0 ? 1 : 0);
