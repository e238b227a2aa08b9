// Files hashed in child processes, to keep more than one core busy. They run the same script; not
// threads, because those don't load TypeScript under tsx.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { attempt, type HashFile, type Job, type OnRead, type Outcome } from "./parallel.ts";
import { t } from "./words.ts";

/** In a child: hashes the files that the parent sends. */
export function work(hashFile: HashFile): void {
  process.on("message", ({ path, algorithm, key, meter }: Job & { meter: boolean }) => {
    // Messages are JSON, in which a Buffer is an object that Buffer.from takes back.
    const bytes = typeof path === "string" ? path : Buffer.from(path);
    const job = { path: bytes, algorithm, key: key && Buffer.from(key) };
    process.send!(attempt(hashFile, job, meter ? (count) => void process.send!(count) : undefined));
  });
}

/**
 * Makes a function that has a file hashed in a child process, and one that ends the children. They
 * take jobs from one queue, each when it is through with its last one.
 * @param most how many to start: one at once, the others when they are needed
 * @param script the URL of the script that they run, which has to call `work`
 * @param onRead told how many bytes were read, while it happens
 */
export function children(most: number, script: string, onRead?: OnRead) {
  const queue: { job: Job; done: (outcome: Outcome) => void }[] = [];
  const started: ChildProcess[] = [];
  const idle: (() => void)[] = [];

  function start(): () => void {
    const child = fork(fileURLToPath(script), { env: { ...process.env, HASH_CHILD: "1" } });
    started.push(child);
    let task: (typeof queue)[0] | undefined;
    const next = () => {
      task = queue.shift();
      if (!task) return void idle.push(next);
      const { path, algorithm, key } = task.job;
      child.send({ path, algorithm, key, meter: !!onRead });
    };
    child.on("message", (message: number | Outcome) => {
      if (typeof message === "number") return onRead?.(message);
      task?.done(message);
      next();
    });
    const lost = () => {
      for (const { done } of [...(task ? [task] : []), ...queue.splice(0)])
        done({ failure: t`the process that was to hash it is gone`, missing: false });
    };
    child.on("error", lost).on("exit", lost);
    return next;
  }

  idle.push(start());
  return {
    hash: (job: Job) =>
      new Promise<Outcome>((done) => {
        queue.push({ job, done });
        (idle.pop() ?? (started.length < most ? start() : undefined))?.();
      }),
    end: () => started.forEach((child) => child.connected && child.disconnect()),
  };
}
