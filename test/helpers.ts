// What the tests share: the scripts as real processes, and files of their own.
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const script = (name: string) => join(root, "scripts", `${name}.ts`);

/** A folder for this test file alone; it is removed at the end. */
export const scratch = mkdtempSync(join(tmpdir(), "scripts-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
export const inScratch = (name: string) => join(scratch, name);

export const certs = inScratch("certs"); // never the user's own .certs
export const ENV: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C", DEV_CERTS_DIR: certs };
export const TSX = ["--import", import.meta.resolve("tsx")];

// A test that fails may leave processes: they would keep the test run from ending.
const running = new Set<ChildProcess>();
after(() => running.forEach((child) => child.kill()));

export type Options = SpawnOptions & { input?: string | Buffer };
export type Program = ReturnType<typeof start>;

/** Starts a command; what it prints is collected, and can be waited for. */
export function start(command: string, args: string[], { input, ...options }: Options = {}) {
  const child = spawn(command, args, { stdio: "pipe", ...options });
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
      const minute = AbortSignal.timeout(60_000);
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

/** Runs such a shell program to its end, for 60 seconds at most. */
export async function runShell(
  program: string,
  name: string,
  args: string[],
  options: Options = {},
) {
  return finish(startShell(program, name, args, { input: "", timeout: 60_000, ...options }));
}

/** Runs a command to its end, for 60 seconds at most. */
export async function run(command: string, args: string[], options: Options = {}) {
  return finish(start(command, args, { input: "", timeout: 60_000, ...options }));
}

/** Runs one of the scripts to its end, for 60 seconds at most. */
export async function runScript(name: string, args: string[], options: Options = {}) {
  return finish(startScript(name, args, { input: "", timeout: 60_000, ...options }));
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

/** A port on which nothing listens now: for a peer that can't choose one itself. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** For a test's options: skips it, by name, where a program that it needs is not installed. */
export function needs(...commands: string[]): { skip: string | false } {
  const missing = commands.filter((command) => spawnSync(command, ["--version"]).error);
  return { skip: missing.length > 0 && `${missing.join(", ")} not installed` };
}
