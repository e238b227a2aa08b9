// hash.ts as real lists, real shells and real operators use it.
import assert from "node:assert/strict";
import { createHash, getHashes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  ENV,
  inScratch,
  needs,
  run,
  runEach,
  runScript,
  runShell,
  start,
  startScript,
  startShell,
  words,
  type Options,
} from "./helpers.ts";

ENV.NODE_V8_COVERAGE = ""; // counted elsewhere: it takes a quarter of a process's time

// Digests of the three bytes abc (FIPS 180-4, RFC 1321), and of no bytes at all.
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MD5 = "900150983cd24fb0d6963f7d28e17f72";
const SHA1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
const SHA384 =
  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
const SHA512 =
  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

mkdirSync(inScratch("files"));
const files = realpathSync(inScratch("files"));
const write = (name: string, content: string | Buffer) => writeFileSync(join(files, name), content);
write("plain", "abc");
write("빈칸", "abc");

type Result = { code: number | string; stdout: string; stderr: string };
const hash = (args: string[], options: Options = {}) =>
  runScript("hash", args, { cwd: files, ...options });
const hashEach = (cases: string[][], env = {}) => runEach("hash", cases, { cwd: files, env });
const check = (list: string | Buffer, ...args: string[]) => hash(["-c", ...args], { input: list });
const brief = ({ stdout, stderr, code }: Result) => [stdout, stderr, code];

/** One line on standard error, of which each pattern is a part, and nothing else. */
function assertRefused({ stdout, stderr, code }: Result, status: number, ...parts: RegExp[]) {
  assert.equal(stdout, "");
  assert.match(stderr, /^hash: [^\n]+\n$/);
  for (const part of parts) assert.match(stderr, part);
  assert.equal(code, status, stderr);
}

/** Runs the cases side by side: each start of the script takes a third of a second. */
const each = <T>(cases: T[], check: (one: T) => Promise<void>) => Promise.all(cases.map(check));

test("an argument that is not UTF-8 is refused, and never taken for another", async () => {
  write("l\ufffd", `${ABC}  plain\n`); // what the runtime makes of the bytes l and 0xff
  const cases: [string, RegExp][] = [
    [`"$@" "$(printf 'l\\377')"`, /^1$/],
    [`"$@" --check "$(printf 'l\\377')"`, /^1$/],
    [`"$@" --file "$(printf 'l\\377')"`, /^1$/],
    [`"$@" --key-file "$(printf 'l\\377')" abc`, /^1$/],
    [`"$@" abc --expect "$(printf '${ABC}  l\\377')"`, /^[12]$/],
  ];
  await each(cases, async ([program, status]) => {
    const { stdout, stderr, code } = await runShell(program, "hash", [], { cwd: files });
    assert.equal(stdout, "", program);
    assert.match(stderr, /^hash: [^\n]+\n$/, program);
    assert.match(String(code), status, program);
  });
});

test("of several lists, the one that is not named in UTF-8 is refused, the other is checked", async () => {
  write("good list", `${ABC}  plain\n`);
  write("l\ufffd", `${ABC}  빈칸\n`);
  const program = `"$@" --check "good list" "$(printf 'l\\377')"`;
  const { stdout, stderr, code } = await runShell(program, "hash", [], { cwd: files });
  assert.equal(stdout, "plain: OK\n");
  assert.match(stderr, /^hash: [^\n]+\n$/);
  assert.equal(code, 1);
});

test("a name that really has U+FFFD in it: what is said is true, and what it says helps", async () => {
  write("real \ufffd", "abc");
  // Whether the bytes were UTF-8 can't be known any more: only that U+FFFD is in the argument.
  assertRefused(await hash(["--file", "real \ufffd"]), 1, /U\+FFFD/, / < /);
  const piped = await runShell(`"$@" < "$(printf 'real \\357\\277\\275')"`, "hash", ["--file"], {
    cwd: files,
  });
  assert.deepEqual(brief(piped), [`${ABC}  -\n`, "", 0]);
});

test("a list names its files in bytes: of the names l, U+FFFD and l, 0xff each is its own", async () => {
  await runShell(`printf abc > "$(printf 'n\\377')"`, "hash", [], { cwd: files });
  write("n\ufffd", "");
  const list = Buffer.concat([
    Buffer.from(`${ABC}  n\u00ff\n`, "latin1"),
    Buffer.from(`${EMPTY}  n\ufffd\n`),
  ]);
  const { bytes, code } = await check(list);
  assert.equal(bytes.toString("latin1"), "n\u00ff: OK\nn\u00ef\u00bf\u00bd: OK\n");
  assert.equal(code, 0);
});

test("a list on standard input can't name standard input; the rest of it is checked", async () => {
  const gnu = `${EMPTY}  -\n`;
  const bsd = `SHA256 (-) = ${EMPTY}\n`;
  await each([[gnu], [bsd], [gnu, "-"]], async ([list, ...args]) =>
    assertRefused(await check(list!, ...args), 1, /^hash: standard input: /),
  );
  const longer = `${ABC}  plain\n${gnu}${ABC} *-\n${bsd}SHA256(-)= ${EMPTY}\n${ABC}  빈칸\n`;
  assert.deepEqual(brief(await check(longer)), [
    "plain: OK\n빈칸: OK\n",
    "hash: standard input: lines that are not checksums: 4\n",
    0,
  ]);
});

test("a list in a file may name standard input", async () => {
  write("dash list", `${ABC}  plain\n${EMPTY}  -\n`);
  assert.deepEqual(brief(await hash(["-c", "dash list"])), ["plain: OK\n-: OK\n", "", 0]);
});

test("an algorithm that was asked for binds: a line that names another is no proper line", async () => {
  const md5 = `MD5 (plain) = ${MD5}\n`;
  const sha256 = `SHA256 (plain) = ${ABC}\n`;
  const mixed = await check(md5 + sha256, "--algorithm", "sha256");
  assert.deepEqual(brief(mixed), [
    "plain: OK\n",
    "hash: standard input: lines that are not checksums: 1\n",
    0,
  ]);
  const unasked = await check(md5 + sha256);
  assert.deepEqual([unasked.stdout, unasked.code], ["plain: OK\nplain: OK\n", 0]);
  assert.match(unasked.stderr, /^hash: md5 no longer proves anything[^\n]*\n$/i);
});

test("a line of output is there while the next file is still unread", needs("mkfifo"), async () => {
  await run("mkfifo", ["late", "late too"], { cwd: files });
  const limit = { cwd: files, timeout: 10_000 };
  const feed = (pipe: string) => run("sh", ["-c", `printf abc > "$1"`, "sh", pipe], limit);

  const cases: [string[], (program: ReturnType<typeof startScript>) => void, string][] = [
    [["-f", "plain", "late"], () => feed("late"), `${ABC}  plain\n${ABC}  late\n`],
    [["-f", "plain", "-"], ({ child }) => child.stdin!.end("abc"), `${ABC}  plain\n${ABC}  -\n`],
    [["-c", "-"], ({ child }) => child.stdin!.end(`${ABC}  빈칸\n`), "plain: OK\n빈칸: OK\n"],
  ];
  await each(cases, async ([args, goOn, output]) => {
    const program = startScript("hash", args, limit);
    if (args[0] === "-c") program.child.stdin!.write(`${ABC}  plain\n`);
    await program.prints(/plain.*\n/);
    goOn(program);
    assert.equal(await program.exit, 0);
    assert.equal(program.stdout(), output);
  });

  // In a file as well: tail sees it there.
  write("out", "");
  const reader = start("tail", ["-n", "+1", "-f", "out"], limit);
  const writer = startShell(`exec "$@" > out`, "hash", ["-f", "plain", "late too"], limit);
  await reader.prints(/plain\n/);
  await feed("late too");
  assert.equal(await writer.exit, 0);
  reader.child.kill();
});

test("what was finished before an interruption is not lost", needs("mkfifo"), async () => {
  await run("mkfifo", ["never"], { cwd: files });
  await each(["SIGINT", "SIGKILL"] as const, async (signal) => {
    const list = `${ABC}  plain\n${ABC}  never\n`;
    const program = startScript("hash", ["-c"], { cwd: files, input: list, timeout: 10_000 });
    await program.prints(/plain: OK\n/);
    program.child.kill(signal);
    assert.notEqual(await program.exit, 0);
    assert.equal(program.stdout(), "plain: OK\n");
  });
});

// A sparse file that takes no room, and far longer to hash than any test may last.
const ENDLESS = 2 ** 40;
const linux = { skip: process.platform !== "linux" && "needs /proc" };

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

test("whatever signal ends it, all of its work ends with it", linux, async () => {
  await each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const, async (signal) => {
    const paths = [1, 2].map((i) => join(files, `endless-${signal}-${i}`));
    for (const path of paths) {
      writeFileSync(path, "");
      truncateSync(path, ENDLESS);
    }
    const { child } = startScript("hash", ["-f", ...paths], { timeout: 30_000 });
    const exit = once(child, "exit"); // not "close": what is left behind would hold its output open
    const atOnce = paths.slice(0, availableParallelism());
    while (!atOnce.every((path) => isOpen(path, child.pid))) {
      assert.equal(child.exitCode ?? child.signalCode, null, "ended before it was stopped");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill(signal);
    const [code, endedBy] = await exit;
    assert.ok(endedBy === signal || code > 0, signal);
    assert.ok(!paths.some((path) => isOpen(path)), signal);
  });
});

test("a thread that is lost costs its file, one line each, and nothing hangs", linux, async () => {
  const loseThreads = `
const { Worker } = require("node:worker_threads");
process.on("worker", (worker) => {
  // tsx has a thread of its own, of another class: it stays.
  if (worker.constructor === Worker) worker.once("online", () => worker.terminate());
});`;
  write("lose.cjs", loseThreads);
  const names = ["endless-1", "endless-2", "endless-3"];
  for (const name of names) {
    write(name, "");
    truncateSync(join(files, name), ENDLESS);
  }
  const options = { cwd: files, env: { NODE_OPTIONS: "--require ./lose.cjs" }, timeout: 20_000 };
  const { child, exit, stdout, stderr } = startScript("hash", ["-f", "plain", ...names], options);
  await once(child, "exit");
  assert.equal(await exit, 1);
  assert.equal(stdout(), `${ABC}  plain\n`);
  assert.match(stderr(), /^hash: endless-1: .+\nhash: endless-2: .+\nhash: endless-3: .+\n$/);
});

test("threads that can't be started cost no more than what no other can hash", async () => {
  // As where a limit of processes is reached: so many threads start, and may be lost at once.
  const fewThreads = `
const threads = require("node:worker_threads");
let left = Number(process.env.THREADS);
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    if (left-- <= 0) throw new Error("resource temporarily unavailable");
    super(...args);
    if (process.env.LOST) this.once("online", () => this.terminate());
  }
};
require("node:module").syncBuiltinESMExports();`;
  write("few.cjs", fewThreads);
  const large = ["large-1", "large-2", "large-3"];
  for (const name of large) write(name, Buffer.alloc(3_000_000));
  const digest = createHash("sha256").update(Buffer.alloc(3_000_000)).digest("hex");
  const all = large.map((name) => `${digest}  ${name}\n`).join("") + `${ABC}  plain\n`;
  const none = /^hash: large-1: .+\nhash: large-2: .+\nhash: large-3: .+\n$/;
  const cases: [Record<string, string>, string, RegExp, number][] = [
    [{ THREADS: "0" }, `${ABC}  plain\n`, none, 1],
    [{ THREADS: "1" }, all, /^$/, 0],
    [{ THREADS: "1", LOST: "1" }, `${ABC}  plain\n`, none, 1],
  ];
  await each(cases, async ([env, output, lines, status]) => {
    const options = { env: { ...env, NODE_OPTIONS: "--require ./few.cjs" }, timeout: 20_000 };
    const { stdout, stderr, code } = await hash(["-f", ...large, "plain"], options);
    assert.equal(stdout, output);
    assert.match(stderr, lines);
    assert.equal(code, status);
  });
});

test("no variable of the environment changes what is checked", async () => {
  // This one made every list pass, when the script ran itself to use all cores.
  const list = { input: `${EMPTY}  plain\n`, env: { HASH_CHILD: "1" } };
  const { stdout, code } = await hash(["-c"], list);
  assert.deepEqual([stdout, code], ["plain: FAILED\n", 1]);
});

test("one list, one of GNU's two forms: sha256sum agrees", needs("sha256sum"), async () => {
  const cwd = join(files, "forms");
  mkdirSync(cwd);
  const names = ["a", "b", " b", "*b", "  b"];
  for (const [i, name] of names.entries()) writeFileSync(join(cwd, name), "abc".repeat(i));
  const digests = await run("sha256sum", ["--", ...names], { cwd });
  const [a, b, blankB, starB, twoBlanksB] = digests.stdout.match(/^[0-9a-f]{64}/gm)!;
  const cases: [string[], string][] = [
    [[`${a} a`, `${blankB}  b`], "a: OK\n b: OK\n"],
    [[`${a} a`, `${b}  b`], "a: OK\n b: FAILED\n"],
    [[`${a} a`, `${starB} *b`], "a: OK\n*b: OK\n"],
    [[`${a} a`, `${twoBlanksB}   b`], "a: OK\n  b: OK\n"],
    [[`${a}  a`, `${b}  b`, `${b} *b`], "a: OK\nb: OK\nb: OK\n"],
    [[`${a}  a`, `${blankB}   b`], "a: OK\n b: OK\n"],
    [[`${a}  a`, `${b} b`], "a: OK\n"], // the second line has the other form
    [[`${b} *b`, `${a} a`], "b: OK\n"],
    [["# comment", "nonsense", "", `${a} a`, `${blankB}  b`], "a: OK\n b: OK\n"],
    [[`SHA256 (b) = ${b}`, `${a} a`, `${blankB}  b`], "b: OK\na: OK\n b: OK\n"],
  ];
  const lists = cases.map((_, i) => `list ${i}`);
  for (const [i, [lines, output]] of cases.entries()) {
    writeFileSync(join(cwd, lists[i]!), lines.join("\n") + "\n");
    const theirs = await run("sha256sum", ["-c", lists[i]!], { cwd });
    assert.equal(theirs.stdout, output, lines.join("\n"));
  }
  // Of several lists each has a form of its own.
  const ours = await hash(["-c", ...lists], { cwd });
  assert.equal(ours.stdout, cases.map(([, output]) => output).join(""));
  assert.equal(
    ours.stderr,
    `hash: list 1: files that do not match: 1
hash: list 6: lines that are not checksums: 1
hash: list 7: lines that are not checksums: 1
hash: list 8: lines that are not checksums: 1
`,
  );
  assert.equal(ours.code, 1);
});

test("blanks and tabs around = make no difference", needs("sha256sum"), async () => {
  const forms = [
    "SHA256 (plain)  =  ",
    "SHA256 (plain)\t=\t",
    "SHA256 (plain) \t = \t ",
    "SHA256 (plain)=",
    "SHA256(plain)= ",
    "SHA256(plain)\t=  ",
  ];
  const list = forms.map((form) => `${form}${ABC}\n`).join("");
  const output = "plain: OK\n".repeat(forms.length);
  const theirs = await run("sha256sum", ["-c", "--strict"], { cwd: files, input: list });
  assert.deepEqual([theirs.stdout, theirs.code], [output, 0]);
  assert.deepEqual(brief(await check(list)), [output, "", 0]);
});

test("a verdict tells a name with a backslash from one with a line feed", async () => {
  // As coreutils 9.4 prints them: what has to be escaped begins with a backslash.
  const names: [string, string][] = [
    [String.raw`\a\nb`, String.raw`\\a\\nb`], // five characters
    ["a\nb", String.raw`a\nb`],
    [String.raw`a\nb`, String.raw`a\\nb`],
    ["a\rb", String.raw`a\rb`],
    [String.raw`back\slash`, String.raw`back\\slash`],
  ];
  let list = `SHA256 (back\\slash) = ${ABC}\n`; // a form that needs no escape here
  let verdicts = "\\back\\\\slash: OK\n";
  for (const [name, escaped] of names) {
    write(name, "abc");
    list += `\\${ABC}  ${escaped}\n\\${EMPTY}  ${escaped}\n\\${ABC}  ${escaped}?\n`;
    verdicts += `\\${escaped}: OK\n\\${escaped}: FAILED\n\\${escaped}?: FAILED open or read\n`;
  }
  assert.equal((await check(list)).stdout, verdicts);
});

test(
  "a full disk fails what has something to print, and nothing else",
  { skip: !existsSync("/dev/full") && "needs /dev/full" },
  async () => {
    const full = /^hash: cannot write the output: no space left on device\n$/;
    const cases: [string[], RegExp, number][] = [
      [["--help"], full, 1],
      [["-f", "plain"], full, 1],
      [["abc", "--expect", ABC], full, 1],
      [["--check"], full, 1],
      [["--check", "--quiet"], /^$/, 0],
    ];
    await each(cases, async ([args, line, status]) => {
      const options = { cwd: files, input: `${ABC}  plain\n` };
      const { stderr, code } = await runShell(`"$@" > /dev/full`, "hash", args, options);
      assert.match(stderr, line, args.join(" "));
      assert.equal(code, status, args.join(" "));
    });
  },
);

test("typing into it on a terminal draws no progress", needs("python3"), async () => {
  // The terminal echoes nothing, so that all it shows is the script's own.
  const program = `
import os, pty, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    mode = termios.tcgetattr(0)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, mode)
    os.execv(sys.argv[1], sys.argv[1:])
time.sleep(2)  # a person takes their time: by now a long read would show progress
os.write(terminal, b"abc\\n")
time.sleep(0.3)  # two lines, not one
os.write(terminal, b"def\\n\\x04")
shown = b""
try:
    while piece := os.read(terminal, 1024): shown += piece
except OSError: pass  # Linux's way to say that the other side is gone
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const digest = "924d391c158a46409fdff363063d718ea0bc00b14556f129984942af91233bbe"; // of both lines
  const { stdout, code } = await run("python3", ["-c", program, ...words("hash", ["--file"])]);
  assert.deepEqual([stdout, code], [`${digest}  -\r\n`, 0]);
});

test("MD5 and SHA-1 come with a warning, once, under whatever name", async () => {
  const aliases = ["sha1WithRSAEncryption", "RSA-SHA1-2", "ssl3-md5", "md5-sha1", "RSA-SHA512"];
  const names = ["SHA-1", "MD5", ...aliases.filter((name) => getHashes().includes(name))];
  const lines = names.map((name) => {
    const digest = createHash(name === "SHA-1" ? "sha1" : name).update("abc");
    return `${name} (plain) = ${digest.digest("hex")}\n`.repeat(2);
  });
  const { stdout, stderr, code } = await check(lines.join(""));
  assert.equal(stdout, "plain: OK\n".repeat(2 * names.length));
  const warnings = stderr.match(/^hash: [^\n]* no longer proves anything[^\n]*\n/gm);
  assert.equal(warnings?.length, names.filter((name) => !name.includes("512")).length, stderr);
  assert.equal(warnings.join(""), stderr);
  assert.equal(code, 0);
});

test("a list of no use is refused with the reason that fits it", async () => {
  const utf16 = Buffer.from(`${ABC}  plain\r\n`, "utf16le");
  const base64 = Buffer.from(ABC, "hex").toString("base64");
  type Case = [name: string, list: string | Buffer, reason: RegExp];
  const unasked: Case[] = [
    ["a bare digest", `${ABC}\n`, /--expect/],
    ["no line end", ABC.toUpperCase(), /--expect/],
    ["digests of SHA-512", `${SHA512}  plain\n`, /sha-?512/i],
    ["digests of SHA-384", `${SHA384}  plain\n`, /sha-?384/i],
    ["digests of SHA-1", `${SHA1} *plain\n`, /sha-?1\b/i],
    ["digests of MD5", `${MD5}  plain\n`, /md5/i],
    ["as OpenSSL 1 has it", `HMAC-SHA256(plain)= ${ABC}\n`, /--key-file/],
    ["as OpenSSL 3 has it", `HMAC-SHA2-256(plain)= ${ABC}\n`, /--key-file/],
    ["not here", `SKEIN512 (plain) = ${SHA512}\n`, /skein512/i],
    ["encoded", `${base64}  plain\n`, /base64/i],
    ["encoded, tagged", `SHA256 (plain) = ${base64}\n`, /base64/i],
    ["no mark, little endian", utf16, /UTF-16/],
    ["no mark, big endian", Buffer.from(utf16).swap16(), /UTF-16/],
    ["archive", gzipSync(`${ABC}  plain\n`), /binary/i],
    ["program", Buffer.from(Array.from({ length: 4096 }, (_, i) => i % 251)), /binary/i],
    ["something else", "nonsense\n", /checksum/i],
    ["nothing", "", /checksum/i],
  ];
  const sha512: Case[] = [
    ["digests of SHA-256", `${ABC}  plain\n`, /sha-?256/i],
    ["lines of MD5", `MD5 (plain) = ${MD5}\n`, /md5/i],
  ];
  const runs: [Case[], string[]][] = [
    [unasked, []],
    [sha512, ["--algorithm", "sha512"]],
  ];
  await each(runs, async ([cases, args]) => {
    for (const [name, list] of cases) write(name, list);
    const { stdout, stderr, code } = await hash([...args, "-c", ...cases.map(([name]) => name)]);
    const lines = stderr.split("\n");
    for (const [i, [name, , reason]] of cases.entries()) {
      const [start, said] = [`hash: ${name}: `, lines[i] ?? ""];
      assert.equal(said.slice(0, start.length), start);
      assert.match(said.slice(start.length), reason, name);
    }
    assert.equal(lines.length, cases.length + 1, stderr);
    assert.deepEqual([stdout, code], ["", 1]);
  });
});

test("- as the text is standard input", async () => {
  writeFileSync(inScratch("jefe"), "Jefe"); // RFC 4231, test case 2
  const hmac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const cases: [string[], string, string][] = [
    [["-"], "", `${EMPTY}\n`],
    [["--key-file", inScratch("jefe"), "-"], "what do ya want for nothing?", `${hmac}\n`],
    [["-", "--expect", ABC], "abc", "OK\n"],
  ];
  await each(cases, async ([args, input, output]) => {
    const { stdout, code } = await hash(args, { input });
    assert.deepEqual([stdout, code], [output, 0], args.join(" "));
  });
  // Bytes that are no UTF-8 (EUC-KR) come through unchanged.
  const bytes = await hash(["-"], { input: Buffer.from([0xb0, 0xa1]) });
  assert.equal(bytes.stdout, "78fbe360deed3fd09565464bcfd57912e597015cee3fcf5ee0e256265a81b876\n");
});

test("a text that is also a file's name gets its digest, and a line that names --file", async () => {
  write("LICENSE", "abc");
  const [named, other] = await hashEach([["LICENSE"], ["abc"]]);
  // printf LICENSE | sha256sum
  assert.equal(named!.stdout, "c693279643b8cd5d248172d9c22cb7cf4ed163a3c98c8a3f69c2717edd3eacb7\n");
  assert.match(named!.stderr, /^hash: [^\n]*--file[^\n]*\n$/);
  assert.equal(named!.code, 0);
  assert.deepEqual(brief(other!), [`${ABC}\n`, "", 0]);
});

test("in Korean, the reason why a file can't be read is Korean", async () => {
  symlinkSync("loop", join(files, "loop"));
  const tooLong = "n".repeat(300);
  const unreadable = ["loop", "plain/x", tooLong, ".", "no such file"];
  if (process.platform === "linux") {
    const socket = createServer().listen(join(files, "socket")); // ENXIO: no file to open
    await once(socket, "listening");
    socket.unref();
    unreadable.push("socket", "/proc/self/mem"); // EIO: nothing is mapped at its beginning
  }
  const cases: [string[], number][] = [
    [["--file", ...unreadable], unreadable.length],
    [["--check", "loop", "plain/x", tooLong, "."], 4],
    [["--key-file", "."], 1],
  ];
  const korean = { LC_ALL: "ko_KR.UTF-8" };
  const results = await hashEach(
    cases.map(([args]) => args),
    korean,
  );
  for (const [i, { stderr, code }] of results.entries()) {
    const lines = stderr.split("\n").slice(0, -1);
    assert.equal(lines.length, cases[i]![1], stderr);
    for (const line of lines) {
      assert.match(line, /^hash: .+: [^:]+$/);
      const reason = line.slice(line.lastIndexOf(": "));
      assert.match(reason, /\p{Script=Hangul}/u, line);
      assert.doesNotMatch(reason, /[a-z]/i, line);
    }
    assert.equal(code, 1);
  }
});

test("a value that is refused is shown as it was typed", async () => {
  const cases: [string[], string][] = [
    [["abc", "--expect", "ABCdef"], `"ABCdef"`],
    [["abc", "--algorithm", "Sha257"], `"Sha257"`],
  ];
  const results = await hashEach(cases.map(([args]) => args));
  for (const [i, result] of results.entries()) {
    assertRefused(result, 2);
    assert.ok(result.stderr.includes(cases[i]![1]), result.stderr);
  }
});

test("a list in UTF-16 with its mark, as PowerShell writes it", async () => {
  const utf16 = (list: string) => Buffer.from(`\ufeff${list}`, "utf16le");
  write("그림 😀", "abc");
  write("short.txt", utf16(`${ABC}  plain\r\n${EMPTY} *빈칸\r\n`).swap16());
  // And of more than one piece: a character, or half of one, stands at each border.
  write("long.txt", utf16(`${ABC}  그림 😀\r\n`.repeat(3000)));
  const result = await hash(["-c", "short.txt", "long.txt"]);
  const output = "plain: OK\n빈칸: FAILED\n" + "그림 😀: OK\n".repeat(3000);
  const mismatch = "hash: short.txt: files that do not match: 1\n";
  assert.deepEqual(brief(result), [output, mismatch, 1]);
});

test("--expect takes the digest as people paste it", async () => {
  const cases: [string, string, string[]?][] = [
    [`\tSHA256:${ABC.toUpperCase()} `, "OK\n"],
    [`${EMPTY}  a name with blanks.iso`, "FAILED\n"],
    [`sha512:${SHA512}`, "OK\n", ["-a", "SHA-512"]],
  ];
  const results = await hashEach(
    cases.map(([digest, , args = []]) => [...args, "abc", "-e", digest]),
  );
  for (const [i, [digest, output]] of cases.entries())
    assert.deepEqual(brief(results[i]!), [output, "", output === "OK\n" ? 0 : 1], digest);
});

test("--expect may name the algorithm, which must agree; a wrong digest is no digest", async () => {
  const cases: [string[], RegExp][] = [
    [["-e", `md5:${MD5}`], /md5/],
    [["-a", "sha3-256", "-e", `sha256:${ABC}`], /sha256/], // of the same length
    [["-e", "  "], /--expect/],
  ];
  const results = await hashEach(cases.map(([args]) => ["abc", ...args]));
  for (const [i, [, words]] of cases.entries()) assertRefused(results[i]!, 2, words);
});

test("--strict: a malformed line fails as well", async () => {
  const good = `${ABC}  plain\n`;
  const warning = "hash: standard input: lines that are not checksums: 1\n";
  const cases: [string, string[], unknown[]][] = [
    [`nonsense\n${good}`, [], ["plain: OK\n", warning, 0]],
    [`nonsense\n${good}`, ["--strict", "--quiet"], ["", warning, 1]],
    [`${EMPTY}  -\n${good}`, ["--strict"], ["plain: OK\n", warning, 1]],
    [`# comment\n\n${good}`, ["--strict"], ["plain: OK\n", "", 0]],
  ];
  await each(cases, async ([list, args, result]) => {
    assert.deepEqual(brief(await check(list, ...args)), result, `${args} ${list}`);
  });
  assertRefused(await hash(["--strict", "abc"]), 2, /--strict/, /--check/);
});

test("a long list takes constant memory", async () => {
  const path = "./".repeat(250);
  const lines = (digest: string, name: string) => `${digest}  ${path}${name}\n`.repeat(60_000);
  write("long missing", lines(EMPTY, "missing") + `${ABC}  plain\n`);
  write("long good", lines(ABC, "plain") + `${ABC}  plain\n`);
  const options = { cwd: files, env: { NODE_OPTIONS: "--max-old-space-size=24" } }; // MiB, of 34
  await each(
    [
      [["--ignore-missing", "-c", "long missing"], "plain: OK\n"],
      [["--quiet", "-c", "long good"], ""],
    ] as const,
    async ([args, output]) => {
      assert.deepEqual(brief(await hash([...args], options)), [output, "", 0], args.join(" "));
    },
  );
});

test("lines that almost have a form cost no more than others", async () => {
  // 4 MB each: what costs in proportion to the square of a line, or of a list, has no end here.
  const size = 4_000_000;
  const wide = 60_000;
  const lines = [
    "a(\n",
    "SHA256 (a\n",
    `${" ".repeat(wide)}x\n`,
    `${ABC}${" ".repeat(wide)}\u0000\n`,
    `SHA256 (a)${" ".repeat(wide)}x\n`,
    `SHA256 (a) =${" ".repeat(wide)}x\n`,
    `SHA256 (${") ".repeat(wide / 2)}\n`,
    `SHA256 (${") = ab".repeat(wide / 6)}\n`,
    `${"ab".repeat(wide / 2)}\n`,
  ];
  const lists = lines.map((_, i) => `awkward ${i}`);
  for (const [i, line] of lines.entries()) write(lists[i]!, line.repeat(size / line.length));
  const { stdout, stderr, code } = await hash(["-c", ...lists]);
  const said = stderr.match(/^hash: awkward \d(?=: .+$)/gm);
  assert.deepEqual(
    said,
    lists.map((list) => `hash: ${list}`),
    stderr,
  );
  assert.deepEqual([stdout, code], ["", 1]);
});

test("an argument that is refused does not drive the terminal", async () => {
  for (const name of ["hash", "tls-client"]) {
    const { stderr, code } = await runShell(`"$@" "$(printf '\\377\\033[31mred')"`, name, []);
    assert.match(stderr, /^[\w-]+: \ufffd\\u001b\[31mred: this has U\+FFFD[^\u001b]*\n$/);
    assert.equal(code, 1);
  }
});

test("a line of a list is checked when it ends, however small its last piece was", async () => {
  const program = startScript("hash", ["-c"], { cwd: files, timeout: 10_000 });
  for (const piece of [`${ABC}  plai`, "n", "\n"]) {
    program.child.stdin!.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 300)); // so that each arrives alone
  }
  await program.prints(/plain: OK\n/);
  program.child.stdin!.end();
  assert.equal(await program.exit, 0);
});
