// Many files, their digests in the order given, on all cores. A small file is hashed where it is: it is
// done before a thread would have heard of it. A large one is left to a thread, the only one to read it.
import type { Hash, Hmac } from "node:crypto";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isatty } from "node:tty";
import { Worker } from "node:worker_threads";
import { garbled, openInput } from "./cli.ts";
import { t } from "./words.ts";

export type Path = string | Buffer; // "-": standard input
export type Job = { path: Path; algorithm: string; key?: Buffer };
export type Outcome = { digest: string } | { error: NodeJS.ErrnoException };
export type Digest = Hash | Hmac;

/**
 * How to hash. Threads run the text of the first two, for under tsx on Node 20 they can't load
 * TypeScript: what these use is what node:crypto and node:fs export, and no function of their own.
 */
export type Functions = {
  begin: (algorithm: string, key?: Buffer) => Digest;
  hashFile: (path: Path, hash: Digest, buffer: Buffer, count: Float64Array) => string;
  hashStream: (stream: Readable, hash: Digest, count: Float64Array) => Promise<string>;
};

const BUFFER = 256 * 1024; // bytes: with larger ones, reading is no faster
const LARGE = 2 * 1024 * 1024; // bytes, milliseconds of hashing: to pass a file on takes microseconds
const AHEAD = 1000; // files, so that a list without end takes memory that has one
const TURN = 20; // milliseconds of hashing here, until the threads are heard and lines go out

const source = ({ begin, hashFile }: Functions) => `
const { createHash, createHmac } = require("node:crypto");
const { closeSync, openSync, readSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
${begin}
${hashFile}
const buffer = Buffer.allocUnsafe(${BUFFER});
parentPort.on("message", ({ path, algorithm, key }) => {
  try {
    const digest = hashFile(path, begin(algorithm, key), buffer, workerData);
    parentPort.postMessage({ digest });
  } catch ({ code, message }) {
    parentPort.postMessage({ error: { code, message } });
  }
});`;

// One for all: to make an error for each file that isn't there would take ten times as long.
const MISSING = Object.assign(new Error("no such file or directory"), { code: "ENOENT" });

type Task<J> = { job: J; outcome?: Outcome };
type Settle = (task: Task<Job>, outcome: Outcome) => void;

/**
 * Hashes files ("-": standard input), which come in bursts. Reports each, with its digest or with why it
 * has none, in the order given, as soon as all before it are known.
 */
export async function hashInOrder<J extends Job>(
  bursts: Iterable<J[]> | AsyncIterable<J[]>,
  functions: Functions,
  report: (job: J, outcome: Outcome) => void,
): Promise<void> {
  const { begin, hashFile, hashStream } = functions;
  const buffer = Buffer.allocUnsafe(BUFFER);
  const here = new Float64Array(1); // bytes that were read here; each thread counts its own
  const counts = [here];
  const meter = process.stderr.isTTY ? progress(counts) : undefined;
  const crew = threads(source(functions), counts, settle);
  const tasks: Task<J>[] = []; // that are not reported yet
  let size = 0; // bytes of all files
  let streams = Promise.resolve();
  let wake = () => {};
  const news = () => new Promise<void>((resolve) => (wake = resolve));

  function settle(task: Task<Job>, outcome: Outcome): void {
    task.outcome = outcome;
    if (tasks[0]?.outcome) meter?.clear(); // somebody will print lines now
    while (tasks[0]?.outcome) {
      const { job, outcome } = tasks.shift()!;
      report(job, outcome!);
    }
    wake();
  }

  /** Hashes a small file at once, and leaves what takes longer to a thread, or to its turn. */
  function take(task: Task<J>): Outcome | undefined {
    const { path, algorithm, key } = task.job;
    try {
      const wrong = typeof path === "string" && garbled(path);
      if (wrong) throw new Error(wrong);
      const file = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false });
      if (!file && path !== "-") return { error: MISSING };
      size += file?.isFile() ? file.size : NaN; // what a pipe will bring, nobody knows
      if (!file?.isFile()) streams = streams.then(() => stream(task));
      else if (file.size >= LARGE) crew.give(task);
      else return { digest: hashFile(path, begin(algorithm, key), buffer, here) };
      return undefined;
    } catch (error) {
      return { error: error as NodeJS.ErrnoException };
    }
  }

  /** A pipe may keep us waiting. One after the other: two would share standard input. */
  async function stream(task: Task<J>): Promise<void> {
    const { path, algorithm, key } = task.job;
    if (path === "-" && isatty(0)) meter?.end(); // somebody types
    try {
      settle(task, { digest: await hashStream(openInput(path), begin(algorithm, key), here) });
    } catch (error) {
      settle(task, { error: error as NodeJS.ErrnoException });
    }
  }

  try {
    let turn = performance.now();
    for await (const jobs of bursts)
      for (const job of jobs) {
        const task: Task<J> = { job };
        tasks.push(task);
        const outcome = take(task);
        if (outcome) settle(task, outcome);
        if (performance.now() - turn > TURN) turn = await setImmediate(performance.now());
        while (tasks.length >= AHEAD) await news();
      }
    if (meter) meter.size = size;
    while (tasks.length > 0) await news();
  } finally {
    meter?.end();
    crew.end();
  }
}

/** Threads that hash the files they are given: one for each core, started when it is needed. */
function threads(source: string, counts: Float64Array[], settle: Settle) {
  const cores = availableParallelism();
  const crew = new Set<Worker>();
  const queue: Task<Job>[] = []; // that no thread has begun
  const idle = new Set<() => void>(); // threads that wait for a task

  function start(): void {
    const count = new Float64Array(new SharedArrayBuffer(8)); // memory that both threads see
    let worker: Worker;
    try {
      worker = new Worker(source, { eval: true, workerData: count });
    } catch (error) {
      const lost = crew.size === 0 ? queue.splice(0) : []; // the others take what waits
      for (const task of lost) settle(task, { error: error as NodeJS.ErrnoException });
      return;
    }
    counts.push(count);
    let task: Task<Job> | undefined;
    const next = () => {
      idle.delete(next);
      task = queue.shift();
      if (task) worker.postMessage(task.job);
      else idle.add(next);
    };
    worker.on("message", (outcome: Outcome) => {
      settle(task!, outcome);
      next();
    });
    // A thread that is lost costs the file that it was at; another takes over the rest.
    worker.on("error", () => {}); // "exit" comes after it
    worker.on("exit", () => {
      crew.delete(worker);
      idle.delete(next);
      if (queue.length > 0) start();
      if (task) settle(task, { error: new Error(t`the thread that was to hash it is gone`) });
    });
    crew.add(worker);
    next();
  }

  return {
    give(task: Task<Job>): void {
      queue.push(task);
      const [next] = idle;
      if (next) next();
      else if (crew.size < cores) start();
    },
    end(): void {
      for (const worker of crew) void worker.removeAllListeners().terminate();
    },
  };
}

/** Shows how far a long read has come, on a terminal: "42 %, 1.7 GiB, 812 MiB/s" on standard error. */
function progress(counts: Float64Array[]) {
  const start = performance.now();
  let drawn = false;
  const meter = {
    size: NaN, // bytes of all files, once that is known
    clear(): void {
      if (drawn) process.stderr.write("\r\u001b[K"); // EL: erase the line
      drawn = false;
    },
    end(): void {
      clearInterval(timer);
      meter.clear();
    },
  };
  const timer = setInterval(() => {
    const passed = performance.now() - start; // milliseconds
    if (passed < 1000) return;
    const bytes = counts.reduce((sum, [count]) => sum + count!, 0);
    const percent = meter.size > 0 ? `${Math.floor((100 * bytes) / meter.size)} %, ` : "";
    const rate = inUnits((bytes / passed) * 1000);
    process.stderr.write(`\r${percent}${inUnits(bytes)}, ${rate}/s\u001b[K`);
    drawn = true;
  }, 200);
  return meter;
}

function inUnits(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
