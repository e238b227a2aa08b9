// What testssl.sh has to say about the server: nothing. It takes a minute: `make audit`. An audit that was not
// made, or not whole, has not been passed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { inScratch, start, startServer } from "./helpers.ts";

const LIMIT = 300_000; // milliseconds
// What it is asked for, and the entries of its report that show that it has looked: those that the versions
// since 3.0 have in common.
const SECTIONS: Record<string, string> = {
  "--protocols": "SSLv2 SSLv3 TLS1 TLS1_1 TLS1_2 TLS1_3 ALPN",
  "--std": "cipherlist_NULL cipherlist_aNULL cipherlist_EXPORT cipherlist_LOW cipherlist_3DES_IDEA",
  "--fs": "P?FS", // forward secrecy
  "--server-preference": "cipher_order",
  "--vulnerable":
    "heartbleed CCS ROBOT secure_renego secure_client_renego CRIME_TLS POODLE_SSL fallback_SCSV FREAK " +
    "DROWN LOGJAM BEAST LUCKY13 RC4",
};
// What newer versions say of every server with TLS 1.3 only, and of every one on OpenSSL before 3.5.
const ANYWHERE = ["NPN: not possible for TLS 1.3-only hosts", "FS_KEMs: No KEMs offered"];

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

type Finding = { id: string; severity: string; finding: string };
let findings: Finding[] = [];
try {
  findings = JSON.parse(readFileSync(report, "utf8"));
} catch (error) {
  console.error(`audit: testssl.sh left no report: ${(error as Error).message}`);
}
// WARN and FATAL are of its own run: what it couldn't look at, and why it broke off.
const bad = findings.filter(
  ({ id, severity, finding }) =>
    !/^(OK|INFO|DEBUG)$/.test(severity) && !ANYWHERE.includes(`${id}: ${finding}`),
);
for (const { id, severity, finding } of bad) console.error(`audit: ${severity} ${id}: ${finding}`);
if (typeof status === "string")
  fail(`testssl.sh was ended by ${status}, after ${LIMIT / 1000} s at most`);
// Below 50 its status counts what it found ambiguous (7 here); from there on it is an error of its own.
if (status >= 50) fail(`testssl.sh ended with an error (${status}): ${program.stderr().trim()}`);
for (const [section, entries] of Object.entries(SECTIONS))
  for (const entry of entries.split(" "))
    if (!findings.some(({ id }) => new RegExp(`^${entry}$`).test(id)))
      fail(`testssl.sh has not looked at ${entry} (${section})`);
if (stopped !== 0) fail(`the server ended with ${stopped}`);
if (bad.length > 0) process.exit(1);
console.log(`Nothing found, in ${findings.length} entries.`);
process.exit();
