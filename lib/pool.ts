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
  hashFile: (path: Path, hash: Digest, buffer: Buffer, read: Float64Array) => string;
  hashStream: (stream: Readable, hash: Digest, read: Float64Array) => Promise<string>;
};

const BUFFER = 256 * 1024; // bytes: with larger ones, reading is no faster
const LARGE = 2 * 1024 * 1024; // bytes, milliseconds of hashing: to pass a file on takes microseconds
const AHEAD = 1000; // files, so that a list without end takes memory that has one
const SOON = 50; // milliseconds until what is known is handed out

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

type Task<J> = { job: J; size: number; outcome?: Outcome };

/**
 * Hashes files ("-": standard input) that come in bursts, and yields each with its digest, or with why
 * it has none, in the order given, in bursts of what is known by then.
 */
export async function* inOrder<J extends Job>(
  bursts: Iterable<J[]> | AsyncIterable<J[]>,
  functions: Functions,
): AsyncGenerator<[J, Outcome][]> {
  const { begin, hashFile, hashStream } = functions;
  const buffer = Buffer.allocUnsafe(BUFFER);
  const cores = availableParallelism();
  // Bytes read, by each thread and here: memory that all share.
  const read = new Float64Array(new SharedArrayBuffer(8 * (cores + 1)));
  const here = read.subarray(cores);
  const meter = process.stderr.isTTY ? progress(read) : undefined;
  let wake = () => {};
  const news = () => new Promise<void>((resolve) => (wake = resolve));
  const crew = threads(source(functions), read, () => wake());
  let streams = Promise.resolve();
  const waiting: Task<J>[] = [];
  let last = performance.now();

  /** Hashes a small file at once; gives a large one to a thread, and what has no size its turn. */
  function take(task: Task<J>): void {
    const { path, algorithm, key } = task.job;
    const wrong = typeof path === "string" && garbled(path);
    if (wrong) throw new Error(wrong);
    const file = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false });
    task.size = file?.size ?? 0;
    meter?.add(task.size);
    if (!file && path !== "-") task.outcome = { error: MISSING };
    else if (file?.isFile() && task.size >= LARGE) crew.give(task);
    else if (file?.isFile())
      task.outcome = { digest: hashFile(path, begin(algorithm, key), buffer, here) };
    // A pipe may keep us waiting. One after the other: two would share standard input.
    else
      streams = streams.then(async () => {
        if (path === "-" && isatty(0)) meter?.end(); // somebody types
        try {
          const digest = await hashStream(openInput(path), begin(algorithm, key), here);
          task.outcome = { digest };
        } catch (error) {
          task.outcome = { error: error as NodeJS.ErrnoException };
        }
        wake();
      });
  }

  function known(): [J, Outcome][] {
    const count = waiting.findIndex(({ outcome }) => !outcome);
    meter?.clear(); // somebody will print lines now
    last = performance.now();
    const tasks = waiting.splice(0, count < 0 ? waiting.length : count);
    return tasks.map(({ job, outcome }) => [job, outcome!]);
  }

  try {
    const coming = (async function* () {
      yield* bursts;
    })();
    for (let next = coming.next(); ;) {
      // Whichever is first: more files, or one that is done.
      const burst = await Promise.race([next, news()]);
      if (burst?.done) break;
      for (const job of burst?.value ?? []) {
        const task: Task<J> = { job, size: 0 };
        try {
          take(task);
        } catch (error) {
          task.outcome = { error: error as NodeJS.ErrnoException };
        }
        waiting.push(task);
        if (waiting.length < AHEAD && performance.now() - last < SOON) continue;
        await setImmediate(); // lets the threads' messages in
        while (waiting.length >= AHEAD && !waiting[0]!.outcome) await news();
        yield known();
      }
      if (burst) next = coming.next();
      yield known();
    }
    meter?.complete();
    for (; waiting.length > 0; yield known()) if (!waiting[0]!.outcome) await news();
  } finally {
    meter?.end();
    crew.end();
  }
}

/** Threads that hash the files they are given: one for each core, started when it is needed. */
function threads(source: string, read: Float64Array, done: () => void) {
  const crew: { worker: Worker; tasks: Task<Job>[] }[] = [];

  function start() {
    const workerData = read.subarray(crew.length, crew.length + 1);
    const thread = {
      worker: new Worker(source, { eval: true, workerData }),
      tasks: [] as Task<Job>[],
    };
    crew.push(thread);
    thread.worker.on("error", () => {}); // "exit" comes after it
    thread.worker.on("message", (outcome: Outcome) => {
      thread.tasks.shift()!.outcome = outcome;
      done();
    });
    // A thread that is lost costs the file that it was at; others take over the rest.
    thread.worker.on("exit", () => {
      crew.splice(crew.indexOf(thread), 1);
      const [lost, ...rest] = thread.tasks;
      if (lost) lost.outcome = { error: new Error(t`the thread that was to hash it is gone`) };
      rest.forEach(give);
      done();
    });
    return thread;
  }

  /** Gives the file to a thread: to one that has nothing to do, a new one, or the one with least to do. */
  function give(task: Task<Job>): void {
    const left = ({ tasks }: (typeof crew)[0]) => tasks.reduce((sum, { size }) => sum + size, 0);
    let [thread] = crew.toSorted((a, b) => left(a) - left(b));
    if (!thread || (thread.tasks.length > 0 && crew.length < read.length - 1)) thread = start();
    thread.tasks.push(task);
    thread.worker.postMessage(task.job);
  }

  return {
    give,
    end: () => crew.splice(0).forEach(({ worker }) => worker.removeAllListeners().terminate()),
  };
}

/** Shows how far a long read has come, on a terminal: "42 %, 1.7 GiB, 812 MiB/s" on standard error. */
function progress(read: Float64Array) {
  const start = performance.now();
  let [total, complete, drawn] = [0, false, false];
  const timer = setInterval(() => {
    const passed = performance.now() - start; // milliseconds
    if (passed < 1000) return;
    const bytes = read.reduce((sum, bytes) => sum + bytes);
    const percent = complete && total > 0 ? `${Math.floor((100 * bytes) / total)} %, ` : "";
    const rate = `${inUnits((bytes / passed) * 1000)}/s`;
    process.stderr.write(`\r${percent}${inUnits(bytes)}, ${rate}\u001b[K`); // EL: erase what is behind
    drawn = true;
  }, 200);
  const clear = () => {
    if (drawn) process.stderr.write("\r\u001b[K");
    drawn = false;
  };
  return {
    add: (bytes: number) => (total += bytes),
    complete: () => (complete = true),
    clear,
    end: () => (clearInterval(timer), clear()),
  };
}

function inUnits(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
