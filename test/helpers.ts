// What the tests share: the scripts as real processes, what it means that one of them refuses, and files of
// their own. What they need to meet each other on a network is in peers.ts.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const script = (name: string) => join(root, "scripts", `${name}.ts`);

/** A folder for this test file alone; it is removed at the end. */
export const scratch = realpathSync(mkdtempSync(join(tmpdir(), "scripts-test-")));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
export const inScratch = (name: string) => join(scratch, name);

export const certs = inScratch("certs"); // never the user's own .certs
export const ENV: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C", DEV_CERTS_DIR: certs };
/** What this test file starts is not counted as covered; others do. Counting takes a quarter of its time. */
export const uncounted = () => void (ENV.NODE_V8_COVERAGE = process.env["NODE_V8_COVERAGE"] = "");
export const TSX = ["--import", import.meta.resolve("tsx")];

// A test that fails may leave processes: they would keep the test run from ending.
const running = new Set<ChildProcess>();
const endAll = () => running.forEach((child) => child.kill() && child.kill("SIGCONT")); // one may stand still
// A hook of node:test makes a test run of any program, and some that use this are none.
if (process.argv[1]?.endsWith(".test.ts")) after(endAll);
else process.on("exit", endAll);

export type Options = SpawnOptions & { input?: string | Buffer };
export type Program = ReturnType<typeof start>;
export type Server = Awaited<ReturnType<typeof startServer>>;
export type Result = { code: number | string; stdout: string; stderr: string };

// What takes longer has failed. Milliseconds, and more of them than a busy machine needs: for anything that
// is waited for, for a program that runs to its end, and for one that a whole test file may use.
const [WAIT, RUN, USE] = [60_000, 120_000, 240_000];

/** Starts a command; what it prints is collected, and can be waited for. */
export function start(command: string, args: string[], { input, ...options }: Options = {}) {
  const limit = { timeout: USE, killSignal: "SIGKILL" } as const; // SIGTERM is how a server ends well
  const child = spawn(command, args, { stdio: "pipe", ...limit, ...options });
  running.add(child);
  const exit = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    return (signal ?? code) as number | string;
  });
  exit.catch(() => running.delete(child));
  const printed: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const text = (name: "stdout" | "stderr") => Buffer.concat(printed[name]).toString();
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.on("data", (chunk: Buffer) => printed[name].push(chunk));
  child.stdin?.on("error", () => {}); // it may end before it has read everything
  if (input !== undefined) child.stdin?.end(input);
  return {
    child,
    exit,
    stdout: () => text("stdout"),
    stderr: () => text("stderr"),
    bytes: () => Buffer.concat(printed.stdout),
    /** Waits until what it printed, on either stream, matches; for a minute, and while it runs. */
    async prints(pattern: RegExp): Promise<RegExpMatchArray> {
      let over = "";
      const minute = AbortSignal.timeout(WAIT);
      const end = Promise.race([
        exit.then(() => (over = "ended before it printed")),
        once(minute, "abort").then(() => (over = "took too long to print")),
      ]);
      for (;;) {
        const match = text("stdout").match(pattern) ?? text("stderr").match(pattern);
        if (match) return match;
        if (over) throw new Error(`${over} ${pattern}:\n${text("stdout")}${text("stderr")}`);
        const more = new AbortController();
        const next = [child.stdout!, child.stderr!].map((stream) =>
          once(stream, "data", { signal: more.signal }).catch(() => new Promise(() => {})),
        );
        await Promise.race([...next, end]);
        more.abort();
      }
    },
  };
}

/** Starts one of the scripts. */
export function startScript(name: string, args: string[], options: Options = {}) {
  const [node, ...rest] = words(name, args);
  return start(node!, rest, { ...options, env: { ...ENV, ...options.env } });
}

/** A script and its arguments as the words of a command line, for a shell or a program to run. */
export const words = (name: string, args: string[] = []) => [
  process.execPath,
  ...TSX,
  script(name),
  ...args,
];

/** Starts a shell program in which `"$@"` stands for the script and its arguments. */
export function startShell(program: string, name: string, args: string[], options: Options = {}) {
  const env = { ...ENV, ...options.env };
  return start("sh", ["-c", program, "sh", ...words(name, args)], { ...options, env });
}

/** Runs such a shell program to its end, for two minutes at most. */
export async function runShell(
  program: string,
  name: string,
  args: string[],
  options: Options = {},
) {
  return finish(startShell(program, name, args, { input: "", timeout: RUN, ...options }));
}

/** Runs a command to its end, for two minutes at most. */
export async function run(command: string, args: string[], options: Options = {}) {
  return finish(start(command, args, { input: "", timeout: RUN, ...options }));
}

/** Runs one of the scripts to its end, for two minutes at most. */
export async function runScript(name: string, args: string[], options: Options = {}) {
  return finish(startScript(name, args, { input: "", timeout: RUN, ...options }));
}

/** Runs one of the scripts once for each of these command lines, all in one process: see each.ts. */
export async function runEach(name: string, cases: string[][], options: Options = {}) {
  const program = [...TSX, join(root, "test/each.ts"), script(name), JSON.stringify(cases)];
  const env = { ...ENV, ...options.env };
  const { code, stdout, stderr } = await run(process.execPath, program, { ...options, env });
  if (code !== 0 || stderr) throw new Error(`${name}: ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as { code: number; stdout: string; stderr: string }[];
}

async function finish(program: Program) {
  const code = await program.exit;
  return { code, stdout: program.stdout(), stderr: program.stderr(), bytes: program.bytes() };
}

/** Starts the server on a free port, and waits until it is ready. */
export async function startServer(args: string[] = [], options: Options = {}) {
  const server = startScript("server", ["--port", "0", ...args], options);
  const [, port] = await server.prints(/^Server started on .*:(\d+) \(/m);
  return {
    ...server,
    port: port!,
    /** Sends SIGTERM, and waits for the end. */
    async stop() {
      server.child.kill("SIGTERM");
      return server.exit;
    },
  };
}

/** A command line that is refused, and what the line that says why has in it. */
export type Refusal = [args: string[], ...words: RegExp[]];
export type How = Options & { status?: number | undefined; verified?: boolean | undefined };

/**
 * A script refuses each of these command lines: see assertRefused. The first runs in a process of its own,
 * which has to end, whatever may still be open; the others share one, where nobody would see a hang.
 */
export async function refused(
  name: string,
  cases: Refusal[],
  { status, verified, ...options }: How = {},
) {
  const [first, ...others] = cases.map(([args]) => args);
  const shared = others.length > 0 ? runEach(name, others, options) : [];
  const [alone, rest] = await Promise.all([runScript(name, first!, options), shared]);
  const results = [alone, ...rest];
  for (const [i, [, ...words]] of cases.entries())
    assertRefused(name, results[i]!, { status, verified }, ...words);
  return results.map(({ stderr }) => stderr);
}

const VERIFIED = "(TLSv1\\.3, [^\\n]* Verified: [^\\n]*\\n)?";
const BARE_CODE =
  /\b(?!DEV_CERTS_DIR)([A-Z0-9]+_[A-Z0-9_]+|E(CONN|ADDR|NET|HOST|INVAL|PIPE)[A-Z]*|UNSPECIFIED)\b/;

/**
 * It was refused: in one line on standard error, which has these words in it and no bare code, with nothing on
 * standard output, and with the status (1). Where it is a server that refuses, the client may have verified
 * it before, and said so: in TLS 1.3 its own handshake is over by then.
 */
export function assertRefused(
  name: string,
  { stdout, stderr, code }: Result,
  { status = 1, verified = false }: How,
  ...words: RegExp[]
) {
  assert.match(stderr, new RegExp(`^${verified ? VERIFIED : ""}${name}: [^\\n]*[^\\s:]\\n$`));
  for (const word of words) assert.match(stderr, word);
  assert.doesNotMatch(stderr.replace(/^TLSv.*\n/, ""), BARE_CODE);
  assert.deepEqual([stdout, code], ["", status], stderr);
}

/** Waits until a figure is as it should be; fails, with the last one, after a minute. */
export async function until<T>(what: string, figure: () => T, fits: (figure: T) => boolean) {
  for (const start = performance.now(); ; await setTimeout(20)) {
    const last = figure();
    if (fits(last)) return last;
    if (performance.now() - start > WAIT) assert.fail(`no end of waiting for ${what}: ${last}`);
  }
}

/** A port on which nothing listens now, and perhaps nothing later: where that is the subject. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** For a test's options: skips it, by name, where the system is not Linux, or a program is missing. */
export function linux(what: string, ...commands: string[]): { skip: string | false } {
  return process.platform === "linux" ? needs(...commands) : { skip: `no ${what} here` };
}
// macOS has other programs by these names.
const OF_LINUX = /^(nc|script|\w+sum)$/;

/** For a test's options: skips it, by name, where a program that it needs is not installed. */
export function needs(...commands: string[]): { skip: string | false } {
  const missing = commands.filter(
    (command) =>
      (OF_LINUX.test(command) && process.platform !== "linux") ||
      spawnSync(command, ["--version"]).error,
  );
  return { skip: missing.length > 0 && `${missing.join(", ")} not installed` };
}

// A folder of files for hash.ts, and digests: of the three bytes abc (FIPS 180-4, RFC 1321), which most of
// these files have, and of no bytes at all.
export const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
export const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
export const MD5 = "900150983cd24fb0d6963f7d28e17f72";
export const SHA1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
export const SHA384 =
  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
export const SHA512 =
  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

export const files = inScratch("files");
mkdirSync(files);
export const write = (name: string, content: string | Buffer) =>
  writeFileSync(join(files, name), content);
write("plain", "abc");
write("빈칸", "abc");

export const hash = (args: string[], options: Options = {}) =>
  runScript("hash", args, { cwd: files, ...options });
export const hashEach = (cases: string[][], options: Options = {}) =>
  runEach("hash", cases, { cwd: files, ...options });
/** Checks a list, as it comes on standard input. */
export const check = (list: string | Buffer, ...args: string[]) =>
  hash(["-c", ...args], { input: list });
export const brief = ({ stdout, stderr, code }: Result) => [stdout, stderr, code];

/** Runs the cases side by side: each start of the script takes a third of a second. */
export const each = <T>(cases: T[], check: (one: T) => Promise<void>) =>
  Promise.all(cases.map(check));
