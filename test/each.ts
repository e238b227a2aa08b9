// Runs a script for each of several command lines, one after the other, all in this process: for the many
// cases that differ in their arguments only. (A start takes longer than most of them.) What a case prints is
// its own, whoever runs by then; what it prints after its end, which a process of its own might have waited
// for, or cut off, fails them all. What can't be seen here is a hang: the next case runs, whatever is still
// open, and process.exit() ends the rest. So each kind of case that could hang has one in a process of its own,
// which `refused` in helpers.ts sees to; signals and pipes are for other tests anyway. What lib/ remembers, as a
// warning that is given once, it remembers for all cases.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";

type Case = {
  line: string; // its arguments
  code?: number; // once process.exit() has been called, or it is over
  over: boolean;
  stdout: string;
  stderr: string;
  late: string; // what came when it was over
};
class End extends Error {} // what process.exit() is here

const [node, , script, lines] = process.argv as [string, string, string, string];
const environment = { ...process.env };
const context = new AsyncLocalStorage<Case>();
const cases: Case[] = [];
const caller = () => context.getStore() ?? cases.at(-1)!;
let end = () => {};

const print = process.stdout.write.bind(process.stdout);
const complain = process.stderr.write.bind(process.stderr);
const exit = process.exit.bind(process);
for (const name of ["stdout", "stderr"] as const)
  process[name].write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    const one = caller();
    if (one.over) one.late += chunk.toString();
    else if (one.code === undefined) one[name] += chunk.toString();
    const done = rest.at(-1);
    if (typeof done === "function") queueMicrotask(done as () => void);
    return true;
  };
process.exit = (code) => {
  caller().code ??= Number(code ?? process.exitCode ?? 0);
  throw new End();
};
/** What no one catches goes to the listener of lib/cli.ts, which ends the script; or ends it like this. */
function uncaught(error: Error): void {
  try {
    if (!(error instanceof End) && !process.emit("uncaughtException", error)) {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    }
  } catch {}
  if (!caller().over) end();
}
process.setUncaughtExceptionCaptureCallback(uncaught);
process.setMaxListeners(0); // each case may add its own

for (const args of JSON.parse(lines) as string[][]) {
  const one: Case = { line: args.join(" "), over: false, stdout: "", stderr: "", late: "" };
  cases.push(one);
  process.argv = [node, script, ...args];
  process.exitCode = undefined;
  for (const name in process.env) if (!(name in environment)) delete process.env[name];
  const ended = new Promise<void>((resolve) => (end = resolve));
  const url = `${pathToFileURL(script)}?${cases.length}`; // a module of its own, which runs as it is loaded
  await Promise.race([context.run(one, () => import(url).catch(uncaught)), ended]);
  await setImmediate(); // lines of output go out at the end of a turn
  one.code ??= Number(process.exitCode ?? 0);
  one.over = true;
}
// What is still open may still print, for a moment.
await Promise.race([once(process, "beforeExit"), setTimeout(200, undefined, { ref: false })]);
for (const { line, late } of cases) if (late) complain(`after its end, "${line}" printed: ${late}`);
const results = cases.map(({ code, stdout, stderr }) => ({ code, stdout, stderr }));
print(JSON.stringify(results), () => exit(0));
