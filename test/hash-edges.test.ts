// hash.ts at its edges: lists made to deceive or to exhaust it, several processes on one pipe, and inputs that
// never come.
import assert from "node:assert/strict";
import { createHash, getHashes } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pastedDigest } from "../lib/checksums.ts";
import {
  files as cwd,
  inScratch,
  linux,
  needs,
  run,
  runEach,
  runScript,
  runShell,
  words,
  write,
} from "./helpers.ts";

const digestOf = (content: string) => createHash("sha256").update(content).digest("hex");
const [GENUINE, EVIL] = [digestOf("genuine"), digestOf("evil")];
write(" a", "genuine");
write("a", "evil");
write("b", "genuine");

test("a line that is none decides nothing: sha256sum agrees", needs("sha256sum"), async () => {
  const none = [
    "0 x",
    "6 files",
    "Dec 2025 checksums",
    "A list of files",
    `${"0".repeat(32)} x`, // a digest of another length
    `${GENUINE}0 x`,
    "SHA256 (b) = 0",
    `${GENUINE}`,
  ];
  const lists = none.flatMap((line) => [
    `${line}\n${GENUINE}  a\n`, // what is in " a" must not pass for what is in "a"
    `${line}\n${EVIL}  a\n${GENUINE}  b\n`,
    `${line}\n${EVIL} a\n${GENUINE}  a\n`, // and here "a" comes first, so that " a" is meant
  ]);
  // A name may be empty, as GNU has it: no file is called so.
  lists.push(`SHA256 () = ${GENUINE}\n${EVIL}  a\n`, `SHA256()= ${GENUINE}\n`);
  for (const [i, list] of lists.entries()) write(`deceit ${i}`, list);
  const paths = lists.map((_, i) => ["-c", `deceit ${i}`]);
  const ours = await runEach("hash", paths, { cwd });
  for (const [i, list] of lists.entries()) {
    const theirs = await run("sha256sum", ["-c", `deceit ${i}`], { cwd });
    assert.deepEqual([ours[i]!.stdout, ours[i]!.code], [theirs.stdout, theirs.code], list);
  }
  assert.equal(ours[0]!.stdout, "a: FAILED\n");
  assert.equal(ours.at(-2)!.stdout, ": FAILED open or read\na: OK\n");
});

test("with an algorithm that binds, a line of another decides nothing", async () => {
  const md5 = createHash("md5").update("x").digest("hex");
  const list = `${md5} x\n${GENUINE}  a\n`;
  const { stdout, code } = await runScript("hash", ["-c", "-a", "sha256"], { cwd, input: list });
  assert.deepEqual([stdout, code], ["a: FAILED\n", 1]);
});

// Four processes write to one pipe, and a slow reader takes a little at a time.
const ONE_PIPE = `
import fcntl, os, re, subprocess, sys, time
read, write = os.pipe()
try: fcntl.fcntl(write, 1031, 4096)  # F_SETPIPE_SZ: as little as Linux lets a pipe hold, so that writers wait
except OSError: pass
names = ["file%04d" % i for i in range(1000)]
for name in names: open(name, "w").close()
writers = [subprocess.Popen(sys.argv[1:] + names, stdout=write) for _ in range(4)]
os.close(write)
data = b""
while piece := os.read(read, 3000):
    data += piece
    time.sleep(0.001)
lines = data.decode().split("\\n")[:-1]
broken = [line for line in lines if not re.fullmatch("[0-9a-f]{64}  file[0-9]{4}", line)]
print(len(lines), len(broken), [writer.wait() for writer in writers])`;

test(
  "lines of several processes on one pipe stay whole",
  linux("pipe of 4 KiB", "python3"),
  async () => {
    mkdirSync(inScratch("one pipe"));
    const program = ["-c", ONE_PIPE, ...words("hash", ["-f"])];
    const { stdout } = await run("python3", program, { cwd: inScratch("one pipe") });
    assert.equal(stdout, "4000 0 [0, 0, 0, 0]\n");
  },
);

test("no line, and no argument, costs more than in proportion to its length", async () => {
  // Where it was the square, one of these took 11 seconds, and all take minutes.
  const wide = 32_000;
  const lines = [
    `SHA256 (${")=".repeat(wide)} x y\n`,
    `SHA256 (${") = ".repeat(wide / 2)} x y\n`,
    `HMAC-SHA256${" (".repeat(wide)}\n`,
    `${GENUINE} ${"\\\\".repeat(wide)}\u0000\n`,
    `\\${GENUINE}  ${"\\x".repeat(wide)}\n`,
    `${"=)".repeat(wide)}\n`,
  ];
  write("square", lines.join("").repeat(50));
  const { stdout, stderr, code } = await runScript("hash", ["-c", "square"], { cwd });
  assert.deepEqual([stdout, code], ["", 1]);
  assert.match(stderr, /^hash: square: no line is a sha256 checksum\n$/);
  assert.equal(pastedDigest(`${" ".repeat(1_000_000)}x`).digest, undefined);
});

test("what is remembered of a list's algorithms is bounded", async () => {
  // One name has as many spellings as there are lines here; what each of them took would not fit in.
  const name = getHashes().sort((a, b) => b.length - a.length)[0]!;
  const letters = [...name].flatMap((c, i) => (/[a-z]/i.test(c) ? [i] : []));
  const digest = createHash(name).update("evil").digest("hex");
  const spelt = (n: number) => {
    const all = [...name.toLowerCase()];
    letters.forEach((at, bit) => n & (1 << bit) && (all[at] = all[at]!.toUpperCase()));
    return all.join("");
  };
  const lines = Array.from({ length: 120_000 }, (_, i) => `${spelt(i)} (a) = ${digest}\n`);
  write("spellings", lines.join(""));
  const env = { NODE_OPTIONS: "--max-old-space-size=24" }; // MiB
  const { stderr, code } = await runScript("hash", ["-c", "-q", "spellings"], { cwd, env });
  assert.doesNotMatch(stderr, /heap|not checksums/);
  assert.equal(code, 0, stderr);
});

test("a file that is used as a folder, or a link to itself, is no missing one", async () => {
  symlinkSync("loop", join(cwd, "loop"));
  symlinkSync("nowhere", join(cwd, "dangling"));
  const names = ["a/x", "b/x/y", "loop", "loop/x"];
  const missing = ["dangling", "dangling/x", "nowhere/x", "nowhere"];
  const list = [...names, ...missing].map((name) => `${GENUINE}  ${name}\n`).join("");
  const input = `${list}${EVIL}  a\n`;
  const { stdout, code } = await runScript("hash", ["-c", "--ignore-missing"], { cwd, input });
  const failed = names.map((name) => `${name}: FAILED open or read\n`).join("");
  assert.deepEqual([stdout, code], [`${failed}a: OK\n`, 1]);
});

test("on a terminal, progress is never drawn into a line", needs("script"), async () => {
  write("long list", `${EVIL}  a\n`.repeat(80_000));
  const quoted = words("hash", ["-c", "long list"]).map((word) => `'${word}'`);
  const { stdout } = await run("script", ["-qec", quoted.join(" "), "/dev/null"], { cwd });
  const drawn = stdout.match(/MiB\/s/g)?.length ?? 0;
  assert.ok(drawn > 0, "it was too quick to draw any");
  // What is drawn is erased before a line is printed, and begins where a line has ended.
  assert.equal(stdout.match(/(?<=^|\n|K)\r[^\r\n]*MiB\/s\u001b\[K(?=\r)/g)?.length, drawn);
  assert.equal(stdout.match(/(?<=^|\n|\r\u001b\[K)a: OK\r$/gm)?.length, 80_000);
});

test("it ends when its reader has, though nobody writes to a FIFO", needs("mkfifo"), async () => {
  await run("mkfifo", ["never"], { cwd });
  const full = `"$@" > /dev/full`;
  const gone = `{ "$@"; echo "ended with $?" >&2; } | true`;
  for (const program of process.platform === "linux" ? [full, gone] : [gone]) {
    const limits = { cwd, timeout: 30_000 };
    const { stderr, code } = await runShell(program, "hash", ["-f", "a", "never"], limits);
    if (program === gone) assert.equal(stderr, "ended with 1\n");
    else assert.match(stderr, /^hash: cannot write the output: no space left on device\n$/);
    assert.equal(code, program === gone ? 0 : 1);
  }
  const written = `printf evil > never & "$@"`; // and what somebody writes is hashed
  const { stdout } = await runShell(written, "hash", ["-f", "never"], { cwd });
  assert.equal(stdout, `${EVIL}  never\n`);
});

test("a text that names a folder gets no advice; one that is too long for a name neither", async () => {
  const cases = [["."], ["x".repeat(5000)], ["a/x"], ["a"]];
  const results = await runEach("hash", cases, { cwd });
  const advice = results.map(({ stderr }) => stderr);
  const file = "hash: there is a file a as well; for its digest, use --file\n";
  assert.deepEqual(advice, ["", "", "", file]);
  assert.deepEqual(new Set(results.map(({ code }) => code)), new Set([0]));
});

test("a list in UTF-32, or that only begins like UTF-16, is refused by that name", async () => {
  const utf32 = (list: string) => {
    const bytes = Buffer.alloc(4 * list.length);
    for (let i = 0; i < list.length; i++) bytes.writeUInt32LE(list.charCodeAt(i), 4 * i);
    return bytes;
  };
  const little = utf32(`\ufeff${EVIL}  a\n`);
  const lone = Buffer.from(`\ufeff${EVIL}  a\ud800b\n`, "utf16le"); // a name that would be another's
  const cases: [Buffer, RegExp][] = [
    [little, /: it is UTF-32; convert it to UTF-8$/m],
    [Buffer.from(little).swap32(), /: it is UTF-32; convert it to UTF-8$/m],
    [lone, /: it begins like UTF-16, and is none; convert it to UTF-8$/m],
    [Buffer.from(`\ufeff${EVIL}  a\n`, "utf16le").subarray(0, -1), /begins like UTF-16/],
  ];
  for (const [i, [list]] of cases.entries()) write(`mark ${i}`, list);
  const results = await runEach(
    "hash",
    cases.map((_, i) => ["-c", `mark ${i}`]),
    { cwd },
  );
  for (const [i, { stderr, code }] of results.entries()) {
    assert.match(stderr, cases[i]![1]);
    assert.equal(code, 1);
  }
});

test("the wrong end of a pipe as standard input is a line in words", async () => {
  const { stderr } = await runShell(`"$@" 0>&1 | cat`, "hash", ["-f"]);
  assert.match(stderr, /^hash: -: it is not open for reading\n$/);
});
