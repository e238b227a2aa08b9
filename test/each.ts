// Runs a script for each of several command lines, one after the other, all in this process: for the many
// cases that differ in their arguments only. (A start takes longer than most of them.) What a process of
// its own shows besides is for other tests: signals, pipes, and that it ends although something is still
// open. What lib/ remembers, as a warning that is given once, it remembers for all cases.
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";

type Result = { code?: number; stdout: string; stderr: string };
class End extends Error {} // what process.exit() is here

const [node, , script, cases] = process.argv as [string, string, string, string];
const results: Result[] = [];
let result: Result;
const [print, exit] = [process.stdout.write.bind(process.stdout), process.exit.bind(process)];
for (const name of ["stdout", "stderr"] as const)
  process[name].write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    if (result.code === undefined) result[name] += chunk.toString();
    const done = rest.at(-1);
    if (typeof done === "function") queueMicrotask(done as () => void);
    return true;
  };
process.exit = (code) => {
  result.code ??= Number(code ?? process.exitCode ?? 0);
  throw new End();
};
let over: () => void;
/** What no one catches goes to the listener of lib/cli.ts, which ends the script. */
function uncaught(error: Error): void {
  try {
    if (!(error instanceof End)) process.emit("uncaughtException", error);
  } catch {}
  over();
}
process.setUncaughtExceptionCaptureCallback(uncaught);

for (const [i, args] of (JSON.parse(cases) as string[][]).entries()) {
  results.push((result = { stdout: "", stderr: "" }));
  process.argv = [node, script, ...args];
  process.exitCode = undefined;
  const end = new Promise<void>((resolve) => (over = resolve));
  await Promise.race([import(`${pathToFileURL(script)}?${i}`).catch(uncaught), end]);
  await setImmediate(); // lines of output go out at the end of a turn
  result.code ??= Number(process.exitCode ?? 0);
}
print(JSON.stringify(results), () => exit(0)); // whatever may still be open
