// What testssl.sh has to say about the server: nothing. It takes a minute: `make audit`. An audit that was not
// made, or not whole, has not been passed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { inScratch, start, startServer } from "./helpers.ts";

const LIMIT = 300_000; // milliseconds
// What it is asked for, and an entry of its report that shows that it has looked.
const SECTIONS: Record<string, RegExp> = {
  "--protocols": /^TLS1_3$/,
  "--std": /^cipherlist_/,
  "--pfs": /^P?FS$/,
  "--server-preference": /^cipher_order/,
  "--vulnerable": /^(heartbleed|LUCKY13|ROBOT)$/,
};

function fail(reason: string): never {
  console.error(`audit: ${reason}`);
  process.exit(1);
}

const command = ["testssl", "testssl.sh"].find((name) => !spawnSync(name, ["--version"]).error);
if (!command)
  fail("there is no testssl.sh. Install it: apt-get install testssl.sh, brew install testssl");

const server = await startServer();
const report = inScratch("testssl.json");
const to = `localhost:${server.port}`;
console.log(`testssl.sh looks at ${to}, for a minute or so:`);
const args = ["--quiet", "--color", "0", "--warnings", "batch", "--openssl-timeout", "5"];
const program = start(command, [...args, "--jsonfile", report, ...Object.keys(SECTIONS), to], {
  timeout: LIMIT,
});
program.child.stdout!.on("data", (chunk: Buffer) => {
  for (const [, title] of String(chunk).matchAll(/^ ?(Testing [^\n]*?)\s*$/gm))
    console.log(`  ${title}`);
});
const status = await program.exit;
const stopped = await server.stop();

// Its status is the number of findings, below 200; from there on it is an error of its own.
if (typeof status === "string")
  fail(`testssl.sh was ended by ${status}, after ${LIMIT / 1000} s at most`);
if (status >= 200) fail(`testssl.sh ended with an error (${status}): ${program.stderr().trim()}`);
type Finding = { id: string; severity: string; finding: string };
let findings: Finding[] = [];
try {
  findings = JSON.parse(readFileSync(report, "utf8"));
} catch (error) {
  fail(`testssl.sh left no report: ${(error as Error).message}`);
}
for (const [section, entry] of Object.entries(SECTIONS))
  if (!findings.some(({ id }) => entry.test(id))) fail(`testssl.sh has not looked at ${section}`);
const bad = findings.filter(({ severity }) => !/^(OK|INFO|DEBUG)$/.test(severity));
for (const { id, severity, finding } of bad) console.error(`audit: ${severity} ${id}: ${finding}`);
if (stopped !== 0) fail(`the server ended with ${stopped}`);
if (bad.length > 0) process.exit(1);
console.log(`Nothing found, in ${findings.length} entries.`);
process.exit();
