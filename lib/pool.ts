// Many files, their digests in the order given, on all cores. A small file is hashed where it is: it is
// done before a thread would have heard of it. A large one is left to a thread, the only one to read it.
import type { Hash, Hmac } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isatty } from "node:tty";
import { Worker } from "node:worker_threads";
import { garbled, standardInput } from "./cli.ts";
import { t } from "./words.ts";

export type Job = { path: string | Buffer; algorithm: string; key?: Buffer };
export type Outcome = { digest: string } | { error: NodeJS.ErrnoException };

/**
 * How to hash. Threads run the text of the first two, for under tsx on Node 20 they can't load
 * TypeScript: what these use is what node:crypto and node:fs export, and no function of their own.
 */
export type Functions = {
  begin: (algorithm: string, key?: Buffer) => Hash | Hmac;
  hashFile: (
    path: string | Buffer,
    hash: Hash | Hmac,
    buffer: Buffer,
    read: Float64Array,
  ) => string;
  hashStream: (stream: Readable, hash: Hash | Hmac, read: Float64Array) => Promise<string>;
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

// To have an error made for each file that isn't there would take ten times as long.
const MISSING: NodeJS.ErrnoException = Object.assign(
  new Error("ENOENT: no such file or directory"),
  { code: "ENOENT" },
);

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
  // Bytes read, by each thread and here: memory that all share, each number written by one.
  const read = new Float64Array(new SharedArrayBuffer(8 * (cores + 1)));
  const here = read.subarray(cores);
  const crew = threads(source(functions), cores, read);
  const meter = process.stderr.isTTY ? progress(read) : undefined;
  const waiting: Task<J>[] = [];
  let last = performance.now();

  const known = () => {
    const count = waiting.findIndex(({ outcome }) => !outcome);
    meter?.clear(); // somebody will print lines now
    last = performance.now();
    return waiting
      .splice(0, count < 0 ? waiting.length : count)
      .map(({ job, outcome }): [J, Outcome] => [job, outcome!]);
  };

  try {
    const coming = (async function* () {
      yield* bursts;
    })();
    let next = coming.next();
    for (;;) {
      // Whichever is first: more files, or a thread that has finished one.
      const burst = await Promise.race([next, crew.news()]);
      if (burst?.done) break;
      for (const job of burst?.value ?? []) {
        const { path, algorithm, key } = job;
        const task: Task<J> = { job, size: 0 };
        try {
          const wrong = typeof path === "string" && garbled(path);
          if (wrong) throw new Error(wrong);
          const file = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false });
          task.size = file?.size ?? 0;
          meter?.add(task.size);
          if (!file && path !== "-") task.outcome = { error: MISSING };
          else if (file?.isFile() && task.size >= LARGE) crew.give(task);
          else if (file?.isFile())
            task.outcome = { digest: hashFile(path, begin(algorithm, key), buffer, here) };
          else {
            // A pipe may keep us waiting, so what came before it is told first.
            for (; waiting.length > 0; yield known()) if (!waiting[0]!.outcome) await crew.news();
            if (path === "-" && isatty(0)) meter?.end(); // somebody types
            const stream = path === "-" ? standardInput() : createReadStream(path);
            task.outcome = { digest: await hashStream(stream, begin(algorithm, key), here) };
          }
        } catch (error) {
          task.outcome = { error: error as NodeJS.ErrnoException };
        }
        waiting.push(task);
        if (waiting.length < AHEAD && performance.now() - last < SOON) continue;
        await setImmediate(); // lets the threads' messages in
        while (waiting.length >= AHEAD && !waiting[0]!.outcome) await crew.news();
        yield known();
      }
      if (burst) next = coming.next();
      yield known();
    }
    meter?.complete();
    for (; waiting.length > 0; yield known()) if (!waiting[0]!.outcome) await crew.news();
  } finally {
    meter?.end();
    crew.end();
  }
}

/** Threads that hash the files they are given: one for each core, started when it is needed. */
function threads(source: string, most: number, read: Float64Array) {
  const crew: { worker: Worker; tasks: Task<Job>[] }[] = [];
  const left = (tasks: Task<Job>[]) => tasks.reduce((sum, { size }) => sum + size, 0);
  let wake = () => {};

  function start() {
    const own = read.subarray(crew.length, crew.length + 1);
    const worker = new Worker(source, { eval: true, workerData: own });
    const thread = { worker, tasks: [] as Task<Job>[] };
    worker.on("message", (outcome: Outcome) => {
      thread.tasks.shift()!.outcome = outcome;
      wake();
    });
    // A thread that is lost costs the file that it was at; others take over the rest.
    worker
      .on("error", () => {})
      .on("exit", () => {
        crew.splice(crew.indexOf(thread), 1);
        const [lost, ...rest] = thread.tasks;
        if (lost) lost.outcome = { error: new Error(t`the thread that was to hash it is gone`) };
        rest.forEach(give);
        wake();
      });
    crew.push(thread);
    return thread;
  }

  /** Gives the file to a thread: one that has nothing to do, a new one, or the one with least to do. */
  function give(task: Task<Job>): void {
    const [least] = [...crew].sort((a, b) => left(a.tasks) - left(b.tasks));
    const thread = least && (least.tasks.length === 0 || crew.length === most) ? least : start();
    thread.tasks.push(task);
    thread.worker.postMessage(task.job);
  }

  return {
    give,
    news: () => new Promise<void>((resolve) => (wake = resolve)),
    end: () => crew.splice(0).forEach(({ worker }) => worker.removeAllListeners().terminate()),
  };
}

/**
 * Shows how far a long read has come, on a terminal: "42 %, 1.7 GiB, 812 MiB/s" on standard error, kept
 * up to date in its place from the second second on.
 */
function progress(read: Float64Array) {
  const start = performance.now();
  let [total, complete, drawn] = [0, false, false];
  const clear = () => {
    if (drawn) process.stderr.write("\r\u001b[K"); // EL: erase to the end of the line
    drawn = false;
  };
  const timer = setInterval(() => {
    const passed = performance.now() - start; // milliseconds
    if (passed < 1000) return;
    const done = read.reduce((sum, bytes) => sum + bytes);
    const percent = complete && total > 0 ? `${Math.floor((100 * done) / total)} %, ` : "";
    const rate = `${inUnits((done / passed) * 1000)}/s`;
    process.stderr.write(`\r${percent}${inUnits(done)}, ${rate}\u001b[K`);
    drawn = true;
  }, 200);
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
