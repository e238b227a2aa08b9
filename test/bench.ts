// The collection beside what people would use instead: `make bench`. Each row is a job, each column a
// program; programs take turns (A B C A B C …) after a warm-up, so that a machine whose speed drifts is
// fair to all of them. Printed is the median, with its spread and its ratio to ours: each row when it
// is done, and at the end a table of all.
//
//   node --import tsx test/bench.ts [--only NAME]... [--json]
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Job, Result, Target } from "./load.ts";

const ROUNDS = 3; // counted ones
const HOPELESS = 2; // times as long as ours: run once, so that the whole stays within five minutes
const LIMIT = 60; // seconds for one run; a program that needs longer has failed
const MIB = 1024 * 1024;

// Beside the row's own figure: the server's processor time in ms for each of what it served, the
// largest process in MB, the median round trip in ms.
type Sample = { value: number; cpu?: number; memory?: number; p50?: number };
type Program = { name: string; run: (warmUp: boolean) => Promise<Sample>; end?: () => void };
type Row = {
  name: string;
  unit: string;
  more?: boolean; // whether more is better
  each?: string; // what the server's processor time is for
  programs: () => Promise<(Program | string)[]>; // a string: the name of one that is missing
  // The targets of the issues: the best that the others (or the one named) reach, times this.
  target?: { times: number; of?: string } | { plus: number; of: string } | { most: number };
  rounds?: number; // counted ones, where not ROUNDS
  warm?: boolean; // each run has a warm-up of its own
};

const { values: options } = parseArgs({
  options: { only: { type: "string", multiple: true }, json: { type: "boolean", default: false } },
});

// Whatever happens, nothing is left behind: no process, no file.
const scratch = fs.mkdtempSync(join(tmpdir(), "scripts-bench-"));
const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) kill(child);
  fs.rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(1));

const root = fileURLToPath(new URL("..", import.meta.url));
const file = (name: string) => join(scratch, name);
const tsx = ["--import", import.meta.resolve("tsx")];
const ours = (script: string) => [...tsx, join(root, "scripts", `${script}.ts`)];
const env = { ...process.env, LC_ALL: "C", DEV_CERTS_DIR: file("certs") };
const [cert, key, both] = [file("certs/server.crt"), file("certs/server.key"), file("both.pem")];

// --- Programs that are started, end, and are timed from outside.

const HASHLIB = `import hashlib, sys
for name in sys.argv[1:]:
    with open(name, "rb") as file: print(hashlib.file_digest(file, "sha256").hexdigest(), name, sep="  ")`;

/** The programs that hash these files, all checked against each other's digests. */
async function hashers(files: string[], without: string[] = []): Promise<(Program | string)[]> {
  const digests = new Map<string, string>();
  const hasher = (name: string, command: string, args: string[], same = true) => {
    if (!installed(command)) return name;
    const run = async (warmUp: boolean) => {
      const these = warmUp ? [fileURLToPath(import.meta.url)] : files;
      const { seconds, output, memory } = await timed(command, [...args, ...these]);
      const found = output.match(/\b[0-9a-f]{64}\b/g)?.join() ?? "";
      const expected = digests.get(these.join()) ?? found;
      if (same) digests.set(these.join(), expected);
      if (same && found !== expected) throw new Error("digests differ");
      return { value: seconds, memory };
    };
    return { name, run };
  };
  return [
    hasher("this", process.execPath, [...ours("hash"), "--file"]),
    hasher("openssl", "openssl", ["dgst", "-sha256"]),
    hasher("sha256sum", "sha256sum", []),
    hasher("Python", "python3", ["-c", HASHLIB]),
    hasher("b3sum", "b3sum", [], false), // BLAKE3: another digest
  ].filter((program) => typeof program === "string" || !without.includes(program.name));
}

/** Files of random bytes: each different, made from a few MiB of random ones. */
function files(name: string, count: number, bytes: number): string[] {
  progress(
    `making ${count} files of ${bytes / MIB >= 1 ? bytes / MIB + " MiB" : bytes + " bytes"}`,
  );
  const block = Buffer.alloc(Math.min(bytes, 4 * MIB));
  return Array.from({ length: count }, (_, i) => {
    const path = file(`${name}-${i}`);
    const fd = fs.openSync(path, "w");
    crypto.getRandomValues(block.subarray(0, 4096));
    for (let at = 0; at < bytes; at += block.length) fs.writeSync(fd, block);
    fs.closeSync(fd);
    return path;
  });
}

/**
 * What streams a file through our server, and has back what it sent. Not `openssl s_client`: it stops
 * where its input does, and loses what is still on its way back.
 */
async function streamers(mib: number): Promise<(Program | string)[]> {
  const [path] = files("stream", 1, mib * MIB);
  const [small] = files("stream-small", 1, 64 * MIB);
  const server = await startServer(process.execPath, [...ours("server"), ...QUIET]);
  const streamer = (name: string, command: string, args: (string | number)[]) => {
    if (!installed(command)) return name;
    const run = async (warmUp: boolean) => {
      const input = warmUp ? small! : path!;
      const length = String(fs.statSync(input).size);
      const script = `"$@" < "$FILE" | cmp -n "$LENGTH" - "$FILE"`;
      const options = { env: { ...env, FILE: input, LENGTH: length } };
      const words = ["-c", script, "sh", command, ...args.map(String)];
      const { seconds, memory } = await timed("sh", words, options);
      return { value: (warmUp ? 64 : mib) / seconds, memory };
    };
    return { name, run };
  };
  const at = `127.0.0.1:${server.port}`;
  const programs = [
    streamer("this", process.execPath, [...ours("tls-client"), "--port", server.port, "-"]),
    streamer("socat", "socat", [
      "-t5",
      "-b65536",
      "-",
      `OPENSSL:${at},cafile=${cert},commonname=localhost`,
    ]),
  ];
  return [{ ...(programs[0] as Program), end: server.end }, ...programs.slice(1)];
}

// --- Echo servers, and a load generator.

const QUIET = ["--port", "0", "--quiet", "--max-connections", "20000"];

/** The servers, each started once and kept for all its runs. */
async function servers(kind: "tls" | "plain", job: Job, figure: Figure, only?: string[]) {
  const tls = kind === "tls";
  const echo = [fileURLToPath(new URL("echo.py", import.meta.url))];
  const pair = tls ? [cert, key] : [];
  const [port, another] = [await freePort(), await freePort()];
  const listen = tls
    ? `OPENSSL-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=1024,cert=${both},verify=0`
    : `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=1024`;
  const ncat = ["-k", "-l", "127.0.0.1", String(another), "-m", "2000", "-e", "/bin/cat"];
  if (tls) ncat.push("--ssl", "--ssl-cert", cert, "--ssl-key", key);
  const all: [string, string, string[], number?][] = [
    ["this", process.execPath, [...ours("server"), ...QUIET, ...(tls ? [] : ["--plain"])]],
    ["Python threads", "python3", [...echo, "threads", ...pair]],
    ["Python asyncio", "python3", [...echo, "asyncio", ...pair]],
    ["socat", "socat", ["-b65536", listen, "PIPE"], port],
    ["ncat", "ncat", ncat, another],
  ];
  const programs: (Program | string)[] = [];
  for (const [name, command, args, port] of all) {
    if (only && !only.includes(name)) continue;
    if (!installed(command)) programs.push(name);
    else {
      const server = await startServer(command, args, port);
      const run = async () => figure(server, { port: server.port, ...(tls && { ca: cert }) }, job);
      programs.push({ name, run, end: server.end });
    }
  }
  return programs;
}

type Server = Awaited<ReturnType<typeof startServer>>;
type Figure = (server: Server, target: Target, job: Job) => Promise<Sample>;

/** What the load generator measures, with the server's processor time. */
const loaded: Figure = async (server, target, job) => {
  const before = cpuTime(server.child.pid!);
  const { done, ...figures } = await generate(target, job);
  const cpu = (cpuTime(server.child.pid!) - before) * 1000;
  return { ...figures, ...(cpu > 0 && { cpu: cpu / done }) };
};

/** The server's resident memory for each client, in KB, while all of them are connected. */
const memory: Figure = async (server, target, job) => {
  const { done } = await generate(target, job);
  const status = fs.readFileSync(`/proc/${server.child.pid}/status`, "utf8");
  return { value: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / done };
};

let generator: ChildProcess | undefined;

/** Has the load generator do a job: always the same process, so that it is warm as well. */
async function generate(target: Target, job: Job): Promise<Result> {
  if (!generator) {
    const script = fileURLToPath(new URL("load.ts", import.meta.url));
    generator = launch(process.execPath, [...tsx, script], ["pipe", "pipe", "pipe"]);
    generator.once("close", () => (generator = undefined));
  }
  const child = generator;
  let complaint = "";
  child.stderr!.removeAllListeners("data").on("data", (chunk) => (complaint += chunk));
  const timer = globalThis.setTimeout(() => kill(child), LIMIT * 1000);
  const over = new AbortController();
  child.stdin!.write(JSON.stringify({ ...target, ...job }) + "\n");
  const [line] = await Promise.race([
    once(child.stdout!, "data", over),
    once(child, "close", over),
  ]).finally(() => (clearTimeout(timer), over.abort()));
  if (Buffer.isBuffer(line)) return JSON.parse(line.toString()) as Result;
  throw new Error(/^\w*Error: (.*)/m.exec(complaint)?.[1] ?? `no end within ${LIMIT} s`);
}

// --- The rows.

const BULK: Job = { kind: "bulk", seconds: 0.5 };
const CONNECTIONS: Job = { kind: "connections", seconds: 0.8 };
const TRIPS: Job = { kind: "round trips", clients: 500, rounds: 12 };
const rows: Row[] = [
  {
    name: "start-up",
    unit: "s",
    programs: async () => {
      fs.writeFileSync(file("empty.mts"), "");
      const starter = (name: string, command: string, args: string[]): Program | string =>
        installed(command)
          ? { name, run: async () => ({ value: (await timed(command, args)).seconds }) }
          : name;
      return [
        starter("this", process.execPath, ours("hash")),
        starter("empty script", process.execPath, [...tsx, file("empty.mts")]),
        starter("openssl", "openssl", ["dgst", "-sha256", file("empty.mts")]),
        starter("sha256sum", "sha256sum", [file("empty.mts")]),
        starter("Python", "python3", ["-c", HASHLIB, file("empty.mts")]),
      ];
    },
    target: { plus: 0.015, of: "empty script" },
    rounds: 15,
  },
  {
    name: "SHA-256 of one file of 4 GiB",
    unit: "s",
    programs: () => hashers(files("one", 1, 4096 * MIB)),
    target: { times: 1.15, of: "openssl" },
  },
  {
    name: "SHA-256 of 8 files of 512 MiB",
    unit: "s",
    programs: () => hashers(files("eight", 8, 512 * MIB), ["sha256sum", "Python"]), // as for one
    target: { times: 0.65, of: "openssl" },
  },
  {
    name: "SHA-256 of 10,000 files of 4 KiB",
    unit: "s",
    programs: () => hashers(files("small", 10_000, 4096)),
    target: { times: 2, of: "sha256sum" },
  },
  {
    name: "bulk echo over TLS",
    unit: "MiB/s",
    more: true,
    each: "MiB",
    warm: true,
    programs: () => servers("tls", BULK, loaded),
    target: { times: 1 },
  },
  {
    name: "bulk echo over plain TCP",
    unit: "MiB/s",
    more: true,
    each: "MiB",
    warm: true,
    programs: () => servers("plain", BULK, loaded),
    target: { times: 1.1 },
  },
  {
    name: "new TLS connections",
    unit: "1/s",
    more: true,
    each: "client",
    programs: () => servers("tls", CONNECTIONS, loaded),
    target: { times: 1 },
  },
  {
    name: "500 TLS clients, p99",
    unit: "ms",
    each: "client",
    warm: true,
    programs: () => servers("tls", TRIPS, loaded),
    target: { times: 1.1 },
  },
  {
    name: "10,000 TLS clients (others: 2500), memory for each",
    unit: "KB",
    programs: async () => [
      ...(await servers("tls", { kind: "hold", clients: 10_000 }, memory, ["this"])),
      ...(await servers("tls", { kind: "hold", clients: 2500 }, memory, [
        "Python threads",
        "Python asyncio",
      ])),
    ],
    rounds: 1, // what a client takes does not depend on the machine's speed
    warm: true,
    target: { most: 45 },
  },
  {
    name: "2 GiB through the client",
    unit: "MiB/s",
    more: true,
    programs: () => streamers(2048),
    target: { times: 0.9 },
  },
];

const chosen = rows.filter(
  ({ name, unit }) =>
    (options.only?.some((part) => name.includes(part)) ?? true) &&
    (unit !== "KB" || process.platform === "linux"), // only there can we ask for another's memory
);
if (chosen.length === 0) {
  console.error(`bench: no row has such a name; there are: ${rows.map((r) => r.name).join("; ")}`);
  process.exit(2);
}

// The development certificates, which all servers use.
(await startServer(process.execPath, [...ours("server"), ...QUIET])).end();
fs.writeFileSync(both, fs.readFileSync(key, "utf8") + fs.readFileSync(cert, "utf8"), {
  mode: 0o600,
});

const heading = {
  date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${process.platform} ${release()}`,
  versions: [
    `Node ${process.versions.node}`,
    ...[
      "openssl version",
      "sha256sum --version",
      "b3sum --version",
      "python3 --version",
      "socat -V",
      "ncat --version",
    ].map(version),
  ].join(", "),
};
const report: object[] = [];
const COLUMNS = ["openssl", "sha256sum", "b3sum", "Python", "Python asyncio", "socat", "ncat"];
const table = [["job", "target", "this", ...COLUMNS]];
if (!options.json) console.log(`${heading.date}\n${heading.machine}\n${heading.versions}`);
for (const row of chosen) await measure(row);
if (options.json) console.log(JSON.stringify({ ...heading, rows: report }, null, 2));
else printTable();
progress("");
process.exit();

async function measure({ name, unit, more, each, programs, target, rounds = ROUNDS, warm }: Row) {
  const all = await programs();
  const present = all.filter((program) => typeof program !== "string");
  const results = new Map(
    present.map(({ name }) => [name, { samples: [] as Sample[], failure: "", hopeless: false }]),
  );
  let usual = Infinity; // ms that ours took last
  for (let round = warm ? 1 : 0; round <= rounds; round++)
    for (const { name: who, run } of present) {
      const result = results.get(who)!;
      if (result.failure || result.hopeless) continue;
      progress(`${name}: ${who}, ${round === 0 ? "warm-up" : `${round} of ${rounds}`}`);
      try {
        const start = performance.now();
        const sample = await run(round === 0);
        const took = performance.now() - start;
        if (who === "this") usual = took;
        if (round === 0) continue;
        result.samples.push(sample);
        result.hopeless = took > usual * HOPELESS && took > 2000;
      } catch (error) {
        result.failure = (error as Error).message;
      }
    }
  for (const { end } of present) end?.();
  for (const left of fs.readdirSync(scratch)) if (/-\d+$/.test(left)) fs.rmSync(file(left)); // GiBs
  progress("");

  const values = (who: string) => results.get(who)?.samples.map(({ value }) => value) ?? [];
  const us = median(values("this"));
  const others = present.map(({ name }) => name).filter((who) => who !== "this" && who !== "b3sum");
  const against = target && "of" in target && target.of ? [target.of] : others;
  const medians = against.map((who) => median(values(who))).filter((value) => !isNaN(value));
  const best = more ? Math.max(...medians) : Math.min(...medians);
  let bound = NaN;
  if (target && "most" in target) bound = target.most;
  else if (target) bound = "plus" in target ? best + target.plus : best * target.times;
  const met = !isFinite(bound) || (more ? us >= bound : us <= bound);
  const missing = all.filter((program) => typeof program === "string");
  report.push({ name, unit, bound, met, missing, results: Object.fromEntries(results) });
  if (options.json) return;

  const aim = isFinite(bound) ? `${more ? "≥" : "≤"} ${digits(bound)}` : "";
  const cells = (figure: (sample: Sample) => number | undefined) => {
    const of = (who: string) =>
      median(results.get(who)?.samples.map((sample) => figure(sample) ?? NaN) ?? []);
    return COLUMNS.map((column) => {
      const who = [column, `${column} threads`].find((name) => results.has(name));
      if (!who) return missing.some((name) => name.startsWith(column)) ? "missing" : "";
      if (results.get(who)!.failure) return "failed";
      return `${digits(of(who))} (${(of(who) / of("this")).toFixed(2)})`;
    });
  };
  table.push([
    `${name}, ${unit}`,
    ...[aim, digits(us) + (met ? "" : " ✗")],
    ...cells(({ value }) => value),
  ]);
  if (results.get("this")?.samples[0]?.p50) {
    const p50 = median(results.get("this")!.samples.map(({ p50 }) => p50!));
    table.push([name.replace("p99", "p50") + `, ${unit}`, "", digits(p50), ...cells((s) => s.p50)]);
  }
  console.log(`\n${name}, ${unit}${aim && ` (target: ${aim})`}`);
  for (const [who, { samples, failure }] of results) {
    const numbers = values(who);
    const spread =
      numbers.length > 1 ? `(${digits(Math.min(...numbers))}–${digits(Math.max(...numbers))})` : "";
    const figures = [digits(median(numbers)).padStart(7), spread.padEnd(15)];
    figures.push(`${(median(numbers) / us).toFixed(2).padStart(5)} ×`);
    const beside = (["cpu", "memory", "p50"] as const).map((key) => {
      const value = median(samples.map((sample) => sample[key] ?? NaN));
      const label = { cpu: `CPU ms/${each}`, memory: "MB", p50: "p50" }[key];
      return value > 0 && `${label} ${digits(value)}`;
    });
    if (who === "this" && !met) beside.push("✗ target missed");
    const line = failure
      ? `failed: ${failure}`
      : [...figures, ...beside.filter(Boolean)].join("  ");
    console.log(`  ${who.padEnd(15)} ${line}`);
  }
  for (const name of missing) console.log(`  ${name.padEnd(15)} not installed`);
}

/** All rows, as a table that is Markdown as well: our figures, and the others' with their ratio to ours. */
function printTable(): void {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const line = (cells: string[], pad = " ") =>
    `|${cells.map((cell, i) => pad + cell.padEnd(widths[i]!, pad) + pad).join("|")}|`;
  const [head, ...rest] = table.map((row) => line(row));
  console.log(
    [
      "",
      head,
      line(
        widths.map(() => ""),
        "-",
      ),
      ...rest,
    ].join("\n"),
  );
}

/** Runs a program to its end; throws where it fails or takes too long. */
async function timed(command: string, args: string[], more: object = {}) {
  const start = performance.now();
  const child = launch(command, args, ["ignore", "pipe", "pipe"], more);
  const timer = globalThis.setTimeout(() => kill(child), LIMIT * 1000);
  let memory = 0;
  const watch = setInterval(() => (memory = Math.max(memory, peakMemory(child.pid!))), 100);
  const output: Buffer[] = [];
  child.stdout!.on("data", (chunk) => output.push(chunk));
  let complaint = "";
  child.stderr!.on("data", (chunk) => (complaint = (complaint + chunk).slice(-2000)));
  const [code] = await once(child, "close");
  clearTimeout(timer);
  clearInterval(watch);
  const seconds = (performance.now() - start) / 1000;
  if (seconds > LIMIT) throw new Error(`no end within ${LIMIT} s`);
  const error = /^\w*Error: .*/m.exec(complaint)?.[0] ?? complaint.trim().split("\n").at(-1);
  if (code !== 0) throw new Error(error || `status ${code}`);
  return { seconds, memory, output: Buffer.concat(output).toString() };
}

/**
 * Starts a server, and waits until it listens: on a given port, or on the one that it prints. What it
 * prints goes to a file: to read it here would cost time that is the servers'.
 */
async function startServer(command: string, args: string[], given?: number) {
  const log = file(`log-${started.size}-${command.replace(/.*\//, "")}`);
  const output = fs.openSync(log, "w");
  const child = launch(command, args, ["ignore", output, "ignore"]);
  fs.closeSync(output);
  let port = given;
  for (; !port || (given && !(await accepts(port))); await setTimeout(50))
    if (!given) port = Number(/(?:port |:)(\d+)(?: \(|$)/m.exec(fs.readFileSync(log, "utf8"))?.[1]);
  return { child, port, end: () => kill(child) };
}

/** Starts a program as the leader of a process group of its own, which ends as a whole. */
function launch(command: string, args: string[], stdio: StdioOptions, more: object = {}) {
  const child = spawn(command, args, { stdio, env, detached: true, ...more });
  started.add(child);
  child.on("error", () => {});
  child.on("close", () => started.delete(child));
  return child;
}

function kill(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {}
}

/** Processor time that a process group has taken so far, in seconds; 0 where nobody tells. */
function cpuTime(group: number): number {
  const { stdout } = spawnSync("ps", ["-e", "-o", "pgid=,pid="]);
  let ticks = 0; // of 10 ms
  for (const [, pgid, pid] of String(stdout).matchAll(/(\d+) +(\d+)/g)) {
    if (Number(pgid) !== group) continue;
    try {
      const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      for (const field of fields.slice(11, 15)) ticks += Number(field); // its own, its ended children's
    } catch {}
  }
  return ticks / 100;
}

/** The most that the process, or a child of its, has been resident in, in MB; 0 where nobody tells. */
function peakMemory(pid: number): number {
  try {
    const kb = /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0;
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const theirs = children.split(" ").map((child) => (child ? peakMemory(Number(child)) : 0));
    return Math.max(Number(kb) / 1000, ...theirs);
  } catch {
    return 0;
  }
}

function installed(command: string): boolean {
  return !spawnSync(command, ["--version"]).error;
}

function version(command: string): string {
  const [name, ...args] = command.split(" ");
  const { stdout, stderr, error } = spawnSync(name!, args);
  return error
    ? `${name} missing`
    : `${name} ${/\d+\.[\w.]+/.exec(`${stdout}${stderr}`)?.[0] ?? "?"}`;
}

/** A port that is free now: for servers that can't choose one themselves. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`);
}
