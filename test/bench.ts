// The collection beside what people would use instead, and beside bare Node.js (bare.ts), which is the
// limit of the runtime: `make bench`. Each row of the table is a job, each column a program. The programs
// of a row take turns (ours, theirs, ours, theirs, ...), and only runs of one turn are compared: a machine
// whose speed drifts is fair to all of them. Printed is the median of these ratios, with the lowest and
// the highest. `--only NAME` picks the rows with such names.
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { constants, cpus, tmpdir, totalmem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Answer, Job, Load } from "./load.ts";

type Figures = Record<string, number>; // of one run, by name
type Commands = Record<string, string[]>; // by program
type Programs = Record<string, () => Promise<Figures>>;
type Target = { atMost: number; of?: string; above?: string };

const LIMIT = 90_000; // ms: a run that takes longer has failed
const MIB = 1024 * 1024;
const [BARE, THREADS, ASYNCIO] = ["bare Node.js", "Python threads", "Python asyncio"];
const COLUMNS = ["ours", BARE, "openssl", "sha256sum", THREADS, ASYNCIO, "socat"];

const [openssl, sha256sum] = [["openssl", "dgst", "-sha256"], ["sha256sum"]];

// The rows: for how many seconds their programs take turns (once at least), and which programs.
const rows: Record<string, [number, () => Promise<Programs>]> = {
  "start-up": [12, starters],
  "SHA-256 of one file of 4 GiB": [10, () => hashers({ openssl }, 1, 4096 * MIB)],
  "SHA-256 of 8 files of 512 MiB": [15, () => hashers({ openssl }, 8, 512 * MIB)],
  "SHA-256 of 60 files of 17 MiB": [15, () => hashers({ openssl }, 60, 17 * MIB)],
  "SHA-256 of 10,000 files of 4 KiB": [15, () => hashers({ openssl, sha256sum }, 10_000, 4096)],
  "check of a list of 1,000,000 lines": [10, checkers],
  "bulk echo over TLS": [25, () => servers({ kind: "bulk" }, THREADS, ASYNCIO, "socat")],
  "bulk echo over plain TCP": [20, () => servers({ kind: "bulk", plain: true }, THREADS)],
  "new TLS connections": [20, () => servers({ kind: "connections" }, ASYNCIO)],
  "500 TLS clients": [30, () => servers({ kind: "trips", clients: 500 }, THREADS, ASYNCIO)],
  "10,000 TLS clients (asyncio: 2,500)": [
    0,
    () => servers({ kind: "hold", clients: 10_000 }, ASYNCIO),
  ],
  "100 TLS clients that never read": [20, () => servers({ kind: "flood", clients: 100 }, ASYNCIO)],
  "2 GiB through the client": [25, streamers],
};

// What is aimed at, of what the table shows: at most so many times what a program has; or so much more than
// it; or, where none is named, so much. Where the load generator shares the processor with the server, the
// server's own time is judged.
const nearBare = { atMost: 1.05, of: BARE };
const targets: Record<string, Target | Target[]> = {
  "start-up, s": { atMost: 0.015, above: BARE },
  "SHA-256 of one file of 4 GiB, s": { atMost: 1.05, of: "openssl" },
  "SHA-256 of one file of 4 GiB, peak MB": { atMost: 120 },
  "SHA-256 of 8 files of 512 MiB, s": { atMost: 0.6, of: "openssl" },
  "SHA-256 of 60 files of 17 MiB, s": { atMost: 0.95, of: "openssl" },
  "SHA-256 of 10,000 files of 4 KiB, s": { atMost: 2, of: "sha256sum" },
  "check of a list of 1,000,000 lines, s": { atMost: 3, of: "sha256sum" },
  "bulk echo over TLS, CPU ms/MiB": nearBare,
  "bulk echo over plain TCP, CPU ms/MiB": nearBare,
  "new TLS connections, CPU ms each": [nearBare, { atMost: 0.95, of: ASYNCIO }],
  "500 TLS clients, p50 ms": { atMost: 1, of: ASYNCIO },
  "500 TLS clients, p99 ms": { atMost: 1, of: ASYNCIO },
  "500 TLS clients, CPU µs/trip": nearBare,
  "10,000 TLS clients (asyncio: 2,500), KB each": { atMost: 38 },
  "100 TLS clients that never read, KB each": { atMost: 1000 },
  "2 GiB through the client, s": nearBare,
};

const chosen = choose();

// Whatever happens, nothing is left behind: no process, no file.
const scratch = fs.mkdtempSync(`${tmpdir()}/scripts-bench-`);
const started = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of started) kill(child);
  fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(128 + constants.signals[signal]));

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const file = (name: string) => `${scratch}/${name}`;
const tsx = [process.execPath, "--import", import.meta.resolve("tsx")];
const ours = (script: string) => [...tsx, beside(`../scripts/${script}.ts`)];
const bare = (role: string) => [...tsx, beside("bare.ts"), role];
const env = { ...process.env, LC_ALL: "C", DEV_CERTS_DIR: file("certs") };
const [cert, key] = [file("certs/server.crt"), file("certs/server.key")];
let generator: ChildProcess | undefined;

const missing = new Set<string>();
const versions = [`Node.js ${process.versions.node} with tsx`];
for (const command of ["openssl version", "sha256sum --version", "python3 --version", "socat -V"]) {
  const [name, ...args] = command.split(" ") as [string];
  const { stdout, error } = spawnSync(name, args, { encoding: "utf8" });
  if (error) missing.add(name);
  versions.push(`${name} ${error ? "missing" : /\d+\.[\w.]+/.exec(stdout)?.[0]}`);
}
if (missing.has("python3")) missing.add(THREADS).add(ASYNCIO);
const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB, ${process.platform}`;
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory}; ${versions.join(", ")}`;
console.error(machine);

const table = [["job", ...COLUMNS]];
for (const row of chosen) {
  console.error(`\n${row}`);
  await measure(row, ...rows[row]!).catch((error: Error) => {
    console.error(`  failed: ${error.message}`);
    process.exitCode = 1;
  });
  for (const child of started) if (child !== generator) kill(child);
  fs.rmSync(file("data"), { recursive: true, force: true });
}
printTable();
process.exit();

/** The names of the rows that --only picks: all, where it is not given. */
function choose(): string[] {
  const names = Object.keys(rows);
  const parts = process.argv.slice(2).filter((word) => word !== "--only");
  const wrong = parts.find((part) => !names.some((name) => name.includes(part)));
  if (wrong) {
    console.error(`bench: no row is named "${wrong}", but: ${names.join("; ")}`);
    process.exit(2);
  }
  return names.filter((name) => !parts[0] || parts.some((part) => name.includes(part)));
}

/** Lets the programs of a row take turns, judges its targets, and adds its figures to the table. */
async function measure(row: string, seconds: number, begin: () => Promise<Programs>) {
  const programs = await begin();
  const runs = new Map<string, Figures[]>(); // of the programs that are here, and have not failed
  for (const name in programs) if (!missing.has(name)) runs.set(name, []);
  const start = performance.now();
  do
    for (const [name, run] of Object.entries(programs))
      try {
        if (runs.has(name)) runs.get(name)!.push(await run());
      } catch (error) {
        if (name === "ours") throw error;
        console.error(`  ${name} failed: ${(error as Error).message}`);
        runs.delete(name);
      }
  while (performance.now() - start < seconds * 1000);

  for (const figure in runs.get("ours")![0]) {
    const all = new Map([...runs].map(([name, list]) => [name, list.map((run) => run[figure]!)]));
    for (const target of [targets[`${row}, ${figure}`] ?? []].flat())
      console.error(`  ${figure}: ${judge(target, all)}`);
    const cells = COLUMNS.map((name) => {
      if (!programs[name]) return "";
      const values = all.get(name);
      if (!values) return missing.has(name) ? "missing" : "failed";
      const ratios = values.map((value, i) => value / all.get("ours")![i]!);
      return digits(median(values)) + (name === "ours" ? "" : ` (× ${summary(ratios)})`);
    });
    table.push([`${row}, ${figure}`, ...cells]);
  }
}

/** Says whether a target was met: in every turn ("met"), in none ("missed"), or in some ("open"). */
function judge({ atMost, of, above }: Target, all: Map<string, number[]>): string {
  const whom = of ?? above;
  const them = all.get(whom ?? "") ?? [];
  const compare = (us: number, i: number) => (of ? us / them[i]! : us - (above ? them[i]! : 0));
  const compared = all.get("ours")!.map(compare);
  const what = `ours${whom ? ` ${of ? "/" : "-"} ${whom}` : ""}`;
  if (compared.some(isNaN)) return `${what}: not measured`;
  const good = compared.filter((value) => value <= atMost).length;
  const verdict = good === compared.length ? "met" : good > 0 ? "open" : "missed";
  return `${what}: ${summary(compared)}; aimed at: at most ${digits(atMost)}: ${verdict}`;
}

/** Prints the table as BENCHMARK.md has it. */
function printTable(): void {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const rule = widths.map((width) => "-".repeat(width));
  console.log(`\n${machine}\n\nOne run, of ${new Date().toISOString().slice(0, 10)}:\n`);
  for (const row of [table[0]!, rule, ...table.slice(1)])
    console.log(`| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`);
}

/** Programs, each with these arguments; what they print of digests and `OK` must be the same. */
function timed(commands: Commands, args: string[] = [], withMemory = false): Programs {
  let expected: string | undefined;
  const run = async (command: string[]) => {
    const { seconds, memory, output } = await execute([...command, ...args]);
    const found = output.match(/\b[0-9a-f]{64}\b|: OK$/gm)?.join();
    if (args.length && found !== (expected ??= found)) throw new Error("it finds something else");
    return { s: seconds, ...(withMemory && { "peak MB": memory }) };
  };
  const entries = Object.entries(commands);
  return Object.fromEntries(entries.map(([name, command]) => [name, () => run(command)]));
}

async function starters(): Promise<Programs> {
  fs.writeFileSync(file("empty.mts"), "");
  const commands = { ours: ours("hash"), [BARE]: [...tsx, file("empty.mts")] };
  for (const command of Object.values(commands)) await execute(command); // tsx keeps what it compiles
  return timed(commands);
}

async function hashers(others: Commands, count: number, bytes: number): Promise<Programs> {
  const paths = await files(count, bytes);
  return timed({ ours: [...ours("hash"), "--file"], ...others }, paths, count === 1);
}

/** A list that names four small files, again and again: what is measured is the lines. */
async function checkers(): Promise<Programs> {
  const digest = (path: string) => createHash("sha256").update(fs.readFileSync(path)).digest("hex");
  const lines = (await files(4, 10)).map((path) => `${digest(path)}  ${path}\n`);
  fs.writeFileSync(file("data/list"), lines.join("").repeat(250_000));
  return timed({ ours: ours("hash"), sha256sum }, ["--check", file("data/list")], true);
}

/** Clients that send a file through our server; what comes back is compared with the file. */
async function streamers(): Promise<Programs> {
  const { port } = await startServer([...ours("server"), "--port", "0", "--quiet"]);
  const [path] = (await files(1, 2048 * MIB)) as [string];
  const through = ["sh", "-c", '"$@" < "$0" | cmp - "$0"', path];
  const to = `OPENSSL:127.0.0.1:${port},cafile=${cert},commonname=localhost`;
  return timed({
    ours: [...through, ...ours("tls-client"), "--port", `${port}`, "-"],
    [BARE]: [...through, ...bare("client"), `${port}`, cert],
    socat: [...through, "socat", "-t5", "-b65536", "-", to],
  });
}

/** Files that differ, and are in memory afterwards: random bytes at the start of each MiB, and holes. */
async function files(count: number, bytes: number): Promise<string[]> {
  fs.mkdirSync(file("data"));
  const paths = Array.from({ length: count }, (_, i) => file(`data/${i}`));
  for (const path of paths)
    for (let at = 0; at < bytes; at += MIB) {
      fs.appendFileSync(path, randomBytes(Math.min(bytes, 4096)));
      fs.truncateSync(path, Math.min(bytes, at + MIB));
    }
  await execute(["sh", "-c", 'cat "$@" > /dev/null', "sh", ...paths]);
  return paths;
}

/** Runs a program to its end; throws if it fails or takes too long. */
async function execute(command: string[]) {
  const start = performance.now();
  const signal = AbortSignal.timeout(LIMIT);
  const child = launch(command, { stdio: ["ignore", "pipe", "pipe"], signal });
  let [memory, complaint] = [NaN, ""]; // the most memory that it has had, in MB; only Linux tells
  const note = (_: unknown, status = "") => {
    memory = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? memory * 1000) / 1000;
  };
  const watch = setInterval(() => fs.readFile(`/proc/${child.pid}/status`, "utf8", note), 50);
  const output: Buffer[] = [];
  child.stdout!.on("data", (chunk) => output.push(chunk));
  child.stderr!.on("data", (chunk) => (complaint += chunk));
  const [code] = await once(child, "close").finally(() => clearInterval(watch));
  if (code !== 0) throw new Error(complaint.trim());
  const seconds = (performance.now() - start) / 1000;
  return { seconds, memory, output: Buffer.concat(output).toString() };
}

/** Servers (ours, the bare one, and others), each started once and kept for all its runs. */
async function servers(load: Load, ...others: string[]): Promise<Programs> {
  const pair = load.plain ? [] : [cert, key];
  const python = ["python3", beside("echo.py")];
  const most = ["--port", "0", "--quiet", "--max-connections", "20000"];
  const listen = `OPENSSL-LISTEN:0,bind=127.0.0.1,fork,backlog=1024,cert=${cert},key=${key},verify=0`;
  const commands: Commands = {
    ours: [...ours("server"), ...most, ...(load.plain ? ["--plain"] : [])], // makes the certificates
    [BARE]: [...bare("server"), ...pair],
    [THREADS]: [...python, "threads", ...pair],
    [ASYNCIO]: [...python, "asyncio", ...pair],
    socat: ["socat", "-d", "-d", "-b65536", listen, "PIPE"], // with -d -d it says where it listens
  };
  const programs: Programs = {};
  for (const name of ["ours", BARE, ...others]) {
    const clients = Math.min(load.clients ?? 1, name === ASYNCIO ? 2500 : Infinity);
    let server: { pid: number; port: number } | undefined;
    programs[name] = async () => {
      server ??= await startServer(commands[name]!);
      const figures = await generate({ ...load, clients, ...server, ca: cert });
      // A process keeps memory that it has had once: each turn begins with a new one.
      if (load.kind === "flood") server = void kill(server);
      return figures;
    };
  }
  return programs;
}

/** Has the load generator do a job: always the same process, so that it is warm as well. */
async function generate(job: Job): Promise<Figures> {
  generator ??= launch([...tsx, beside("load.ts")], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  generator.send(job);
  const answered = once(generator, "message", { signal: AbortSignal.timeout(LIMIT) });
  const [answer] = (await answered.catch(({ message }) => [{ failure: message }])) as [Answer];
  if (answer.figures) return answer.figures;
  kill(generator);
  generator = undefined;
  throw new Error(answer.failure);
}

/** Starts a server, and waits until it says where it listens: to a file, for reading takes time as well. */
async function startServer(command: string[]) {
  const log = file(`log-${performance.now()}`);
  const output = fs.openSync(log, "w");
  const child = launch(command, { stdio: ["ignore", output, output] });
  fs.closeSync(output);
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const port = Number(/ 127\.0\.0\.1:(\d+)/.exec(fs.readFileSync(log, "utf8"))?.[1]);
    if (port) return { pid: child.pid!, port };
    await setTimeout(50);
  }
  throw new Error(`a server does not listen: ${fs.readFileSync(log, "utf8").trim()}`);
}

/** Starts a program as the leader of a process group of its own, which ends as a whole. */
function launch([command, ...args]: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command!, args, { env, detached: true, ...options });
  started.add(child);
  return child.once("close", () => started.delete(child));
}

function kill({ pid }: { pid?: number | undefined }): void {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch {} // it has ended
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** The median; with the lowest and the highest, if there are several. */
function summary(values: number[]): string {
  const spread = `, ${digits(Math.min(...values))}–${digits(Math.max(...values))}`;
  return digits(median(values)) + (values.length > 1 ? spread : "");
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
