// hash.ts on all cores: many files side by side, threads that are lost, and signals.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  ABC,
  check,
  each,
  files,
  hash,
  linux,
  needs,
  run,
  startScript,
  until,
  write,
} from "./helpers.ts";

test(
  "many files, large and small: hashed side by side, printed in order",
  needs("sha256sum"),
  async () => {
    const names = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    for (const [i, name] of names.entries())
      writeFileSync(
        join(files, name),
        Buffer.alloc(i % 10 === 0 ? (40 - i) * 256 * 1024 : i, name),
      );
    const theirs = await run("sha256sum", [...names, ...names], { cwd: files });
    const ours = await hash(["-f", ...names, ...names, "missing"]);
    assert.equal(ours.stdout, theirs.stdout);
    assert.equal(ours.stderr, "hash: missing: no such file or directory\n");
    assert.equal((await check(theirs.stdout)).code, 0);
  },
);

// A sparse file that takes no room, and far longer to hash than any test may last.
const ENDLESS = 2 ** 40;

/** Whether this process, or any, has this file open. */
function isOpen(path: string, pid: number | "*" = "*"): boolean {
  const pids = pid === "*" ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [pid];
  return pids.some((pid) => {
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`);
      return descriptors.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
    } catch {
      return false; // ended, or closed it, meanwhile
    }
  });
}

test("whatever signal ends it, all of its work ends with it", linux("/proc"), async () => {
  await each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const, async (signal) => {
    const paths = [1, 2].map((i) => join(files, `endless-${signal}-${i}`));
    for (const path of paths) {
      writeFileSync(path, "");
      truncateSync(path, ENDLESS);
    }
    const { child } = startScript("hash", ["-f", ...paths]);
    const exit = once(child, "exit"); // not "close": what is left behind would hold its output open
    const atOnce = paths.slice(0, availableParallelism());
    const left = () => atOnce.filter((path) => !isOpen(path, child.pid));
    await until(`${signal} files to be open`, left, (paths) => {
      assert.equal(child.exitCode ?? child.signalCode, null, "ended before it was stopped");
      return paths.length === 0;
    });
    child.kill(signal);
    const [code, endedBy] = await exit;
    assert.ok(endedBy === signal || code > 0, signal);
    assert.ok(!paths.some((path) => isOpen(path)), signal);
  });
});

test("threads that are lost, or can't be had, cost no file: the main thread hashes it", async () => {
  // As where a limit of processes is reached: so many threads start, and may be lost at once.
  const fewThreads = `
const threads = require("node:worker_threads");
let left = Number(process.env.THREADS);
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    if (left-- <= 0) throw new Error("resource temporarily unavailable");
    super(...args);
    if (process.env.LOST) this.once("online", () => this.terminate().then(() => console.error("lost")));
  }
};
require("node:module").syncBuiltinESMExports();`;
  write("few.cjs", fewThreads);
  const large = ["large-1", "large-2", "large-3"];
  for (const name of large) write(name, Buffer.alloc(30_000_000));
  const digest = createHash("sha256").update(Buffer.alloc(30_000_000)).digest("hex");
  const all = large.map((name) => `${digest}  ${name}\n`).join("") + `${ABC}  plain\n`;
  const cases: [Record<string, string>, RegExp][] = [
    [{ THREADS: "0" }, /^$/],
    [{ THREADS: "1" }, /^$/],
    [{ THREADS: "1", LOST: "1" }, /^lost\n$/],
    [{ THREADS: "9", LOST: "1" }, /^(lost\n)+$/],
  ];
  await each(cases, async ([env, lines]) => {
    const options = { env: { ...env, NODE_OPTIONS: "--require ./few.cjs" } };
    const { stdout, stderr, code } = await hash(["-f", ...large, "plain"], options);
    assert.equal(stdout, all);
    assert.match(stderr, lines);
    assert.equal(code, 0);
  });
});
