// Many files, side by side on all cores, their digests in the order of the files. Each is begun here,
// where a small one is done before a child process would have heard of it; one that turns out to be
// large is left to a child. To ask every file for its size first would take longer.
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { children } from "./children.ts";
import { reason } from "./cli.ts";

export type Job = { path: string | Buffer; algorithm: string; key: Buffer | undefined };
export type Outcome = { digest: string } | { failure: string; missing: boolean };
export type OnRead = (bytes: number) => void;
export type HashFile = (job: Job, onRead?: OnRead) => string;

const LARGE = 8 * 1024 * 1024; // bytes: what is read before a file is left to a child, if as much remains
const MODERATE = 1024 * 1024 * 1024; // bytes, a second's worth: with more left, this process would be busy for too long
const TOO_LARGE = new Error("too large");
const LOOK_AHEAD = 1000; // files, so that a list without end takes memory that has one

/**
 * Hashes files, and yields each with its digest, or with why it has none, in the order given.
 * @param script the URL of the script that the children run: the caller's own, which has to call
 * `work` where the environment has HASH_CHILD
 */
export async function* inOrder<J extends Job>(
  jobs: J[] | AsyncIterable<J>,
  hashFile: HashFile,
  script: string,
): AsyncGenerator<[J, Outcome]> {
  const meter = process.stderr.isTTY ? (await import("./progress.ts")).meter() : undefined;
  const known = Array.isArray(jobs);
  const processes = Math.min(availableParallelism(), known ? jobs.length : Infinity);
  if (known) meter?.total(jobs.reduce((sum, { path }) => sum + size(path), 0));

  let crew: ReturnType<typeof children> | undefined;
  const waiting: { job: J; outcome?: Outcome; promise?: Promise<Outcome> }[] = [];
  let total = 0;
  try {
    for await (const job of jobs) {
      if (meter) total += size(job.path);
      const entry: (typeof waiting)[0] = { job };
      waiting.push(entry);
      try {
        entry.outcome = attempt(hashFile, job, watch(job));
      } catch (error) {
        if (error !== TOO_LARGE) throw error;
        entry.promise = crew!.hash(job);
        entry.promise.then((outcome) => (entry.outcome = outcome));
      }
      while (waiting[0] && (waiting[0].outcome || waiting.length > LOOK_AHEAD)) yield await first();
    }
    if (!known) meter?.total(total);
    while (waiting[0]) yield await first();
  } finally {
    crew?.end();
  }

  async function first(): Promise<[J, Outcome]> {
    const { job, outcome, promise } = waiting.shift()!;
    const result = outcome ?? (await promise!);
    meter?.clear(); // somebody will print a line now
    return [job, result];
  }

  /** Counts what is read of a file, and stops it where it is too large to go on here. */
  function watch({ path }: Job): OnRead | undefined {
    if (processes === 1) return meter?.count;
    let read = 0;
    return (bytes) => {
      read += bytes;
      meter?.count(bytes);
      if (read < LARGE || read - bytes >= LARGE) return;
      // A pipe or a device has no size, and can't be read twice: it stays here.
      const left = size(path) - read;
      if (left < LARGE) return;
      // While the first child starts, this process has nothing better to do.
      const first = !crew;
      crew ??= children(processes, script, meter?.count);
      if (first && left < MODERATE) return;
      meter?.count(-read);
      throw TOO_LARGE;
    };
  }
}

/** Hashes a file here and now. */
export function attempt(hashFile: HashFile, job: Job, onRead?: OnRead): Outcome {
  try {
    return { digest: hashFile(job, onRead) };
  } catch (error) {
    if (error === TOO_LARGE) throw error;
    // An error loses its code on the way between processes, so it is put into words here.
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { failure: reason(error), missing };
  }
}

/** Bytes in a file; 0 where it has no size. */
function size(path: string | Buffer): number {
  try {
    return path === "-" ? 0 : statSync(path).size;
  } catch {
    return 0;
  }
}
