// Many files, their digests in the order given, on all cores. A small file is hashed here, at once: it is done
// before a thread would have heard of it. A large one is left to a thread (worker.js), and what is no file on a
// disk, as a pipe, is hashed as it comes.
import { closeSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isatty } from "node:tty";
import { Worker } from "node:worker_threads";
import { draw, flush, garbled, openInput } from "./cli.ts";
import { BUFFER, hashAtOnce } from "./worker.js";

export type Path = string | Buffer; // "-": standard input
export type Job = { path: Path; algorithm: string; key?: Buffer | undefined };
export type Outcome =
  { digest: string } | { error: { code?: string | undefined; message: string } };
type HashFile<J> = (pieces: AsyncIterable<Buffer>, job: J) => Promise<string>;

const LARGE = 2 * 1024 * 1024; // bytes, milliseconds of hashing: to pass a file on takes microseconds
const AHEAD = 1000; // files, so that a list without end takes memory that has one
const TURN = 20; // milliseconds of hashing here, until the threads are heard and lines go out

// One for all: to make an error for each file that isn't there would take ten times as long.
const MISSING = { code: "ENOENT", message: "no such file or directory" };

/**
 * Hashes files ("-": standard input), which come in bursts. Reports each, with its digest or with why it
 * has none, in the order given, as soon as all before it are known.
 * @param hashFile hashes what comes in pieces
 */
export async function hashInOrder<J extends Job>(
  bursts: Iterable<J[]> | AsyncIterable<J[]>,
  hashFile: HashFile<J>,
  report: (job: J, outcome: Outcome) => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(BUFFER);
  const here = new Float64Array(1); // bytes that were read here; each thread counts its own
  const counts = [here];
  const meter = process.stderr.isTTY ? progress(counts) : undefined;
  const crew = threads(counts);
  const queue = inOrder(report);
  let size = 0; // bytes of all files
  let others: Promise<unknown> = Promise.resolve(); // one after the other: two would share standard input

  function take(job: J): Outcome | Promise<Outcome> {
    const wrong = typeof job.path === "string" && garbled(job.path);
    if (wrong) return { error: { message: wrong } };
    try {
      const file = job.path === "-" ? undefined : lookUp(job.path);
      if (!file && job.path !== "-") return { error: MISSING };
      size += file?.isFile() ? file.size : NaN; // what a pipe will bring, nobody knows
      if (!file?.isFile()) return inTurn(job, () => arriving(openInput(job.path), here));
      return file.size < LARGE ? hashAtOnce(job, buffer, here) : handOver(job);
    } catch (error) {
      return { error: error as Error };
    }
  }

  /** A thread's work; ours, where no thread can be had, or it is lost. */
  async function handOver(job: J): Promise<Outcome> {
    return (await crew.hash(job)) ?? inTurn(job, () => readHere(job.path, here));
  }

  function inTurn(job: J, open: () => AsyncIterable<Buffer>): Promise<Outcome> {
    const outcome = others.then(async () => {
      if (job.path === "-" && isatty(0)) meter?.end(); // somebody types
      return { digest: await hashFile(open(), job) };
    });
    const caught = outcome.catch((error: Error) => ({ error }));
    others = caught;
    return caught;
  }

  try {
    let turn = performance.now();
    for await (const jobs of bursts)
      for (const job of jobs) {
        queue.add(job, take(job));
        if (performance.now() - turn > TURN) {
          await flush(); // whoever reads our output may be slow
          turn = await setImmediate(performance.now());
        }
        await queue.untilAtMost(AHEAD);
      }
    if (meter) meter.size = size;
    await queue.untilAtMost(0);
  } finally {
    meter?.end();
    crew.end();
  }
}

/** What is at a path; undefined if there is nothing. Throws where it can't be known, or something is in the way. */
function lookUp(path: Path): Stats | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file) return file;
  // From Node.js 22 on, that hides a file in the path where a folder should be: an error, and not a missing file.
  const end = path.lastIndexOf("/");
  if (end > 0 && !statSync(path.slice(0, end), { throwIfNoEntry: false })?.isDirectory())
    return statSync(path, { throwIfNoEntry: true });
  return undefined;
}

/** Reports outcomes in the order of their jobs, each as soon as all before it are known. */
function inOrder<J>(report: (job: J, outcome: Outcome) => void) {
  type Task = { job: J; outcome?: Outcome };
  const tasks: Task[] = []; // that are not reported yet
  let wake = () => {};

  function settle(task: Task, outcome: Outcome): void {
    task.outcome = outcome;
    while (tasks[0]?.outcome) {
      const { job, outcome } = tasks.shift()!;
      report(job, outcome!);
    }
    wake();
  }

  return {
    add(job: J, outcome: Outcome | Promise<Outcome>): void {
      const task = { job };
      tasks.push(task);
      if (outcome instanceof Promise) void outcome.then((outcome) => settle(task, outcome));
      else settle(task, outcome);
    },
    async untilAtMost(count: number): Promise<void> {
      while (tasks.length > count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

/** What comes at its own pace, with its bytes counted. */
async function* arriving(input: Readable, count: Float64Array): AsyncGenerator<Buffer> {
  for await (const piece of input) {
    count[0]! += piece.length;
    yield piece;
  }
}

/** A file on a disk, with pauses in which lines go out. Each piece is there until the next one is asked for. */
async function* readHere(path: Path, count: Float64Array): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(BUFFER);
  const file = openSync(path, "r");
  try {
    let turn = performance.now();
    for (let length; (length = readSync(file, buffer)) > 0; count[0]! += length) {
      yield buffer.subarray(0, length);
      if (performance.now() - turn > TURN) turn = await setImmediate(performance.now());
    }
  } finally {
    closeSync(file);
  }
}

/** Threads that hash the files they are given: one for each core, started when it is needed. */
function threads(counts: Float64Array[]) {
  type Task = { job: Job; done: (outcome: Outcome | undefined) => void };
  const crew = new Map<Worker, Task | undefined>(); // with what each is at
  const waiting: Task[] = []; // that no thread has begun

  function next(worker: Worker): void {
    const task = waiting.shift();
    crew.set(worker, task);
    if (task) worker.postMessage(task.job);
  }

  function start(): void {
    const count = new Float64Array(new SharedArrayBuffer(8)); // memory that both threads see
    // Without execArgv: a thread has no use for tsx, and is ready in a third of the time.
    const file = new URL("./worker.js", import.meta.url);
    const worker = new Worker(file, { workerData: count, execArgv: [] });
    counts.push(count);
    worker.on("message", (outcome: Outcome) => {
      crew.get(worker)?.done(outcome);
      next(worker);
    });
    for (const event of ["error", "exit"]) worker.on(event, () => lost(worker));
    next(worker);
  }

  function lost(worker: Worker): void {
    const task = crew.get(worker);
    crew.delete(worker);
    task?.done(undefined);
    if (crew.size === 0) for (const { done } of waiting.splice(0)) done(undefined);
  }

  return {
    /** Has a thread hash a file; undefined where that can't be. */
    hash(job: Job): Promise<Outcome | undefined> {
      return new Promise((done) => {
        waiting.push({ job, done });
        for (const [worker, task] of crew) if (!task) return next(worker);
        try {
          if (crew.size < availableParallelism()) start();
        } catch {
          if (crew.size === 0) for (const { done } of waiting.splice(0)) done(undefined);
        }
      });
    },
    end(): void {
      for (const worker of crew.keys()) void worker.removeAllListeners().terminate();
    },
  };
}

/** Shows how far a long read has come, on a terminal: "42 %, 1.7 GiB, 812 MiB/s" on standard error. */
function progress(counts: Float64Array[]) {
  const start = performance.now();
  const meter = {
    size: NaN, // bytes of all files, once that is known
    end(): void {
      clearInterval(timer);
      void flush(); // and erases what was drawn
    },
  };
  const timer = setInterval(() => {
    const passed = performance.now() - start; // milliseconds
    if (passed < 1000) return;
    const bytes = counts.reduce((sum, [count]) => sum + count!, 0);
    const percent = meter.size > 0 ? `${Math.floor((100 * bytes) / meter.size)} %, ` : "";
    const rate = inUnits((bytes / passed) * 1000);
    draw(`${percent}${inUnits(bytes)}, ${rate}/s`);
  }, 200);
  return meter;
}

function inUnits(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
