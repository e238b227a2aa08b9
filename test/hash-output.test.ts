// What hash.ts prints, and when: to a terminal, a pipe, a full disk, and a reader that goes away.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  ABC,
  each,
  files,
  inScratch,
  needs,
  run,
  runShell,
  start,
  startScript,
  startShell,
  uncounted,
  words,
  write,
  type Program,
} from "./helpers.ts";

uncounted();

writeFileSync(inScratch("plain.txt"), "plain.txt".repeat(100_000));

test("a reader that goes away ends it quietly", async () => {
  const names = Array.from({ length: 300 }, () => inScratch("plain.txt"));
  const early = await runShell(`"$@" | head -1`, "hash", ["--file", ...names]);
  assert.equal(early.stderr, "");
  assert.equal(early.stdout.split("\n").length, 2);
});

test(
  "a full disk fails what has something to print, and nothing else",
  { skip: !existsSync("/dev/full") && "needs /dev/full" },
  async () => {
    const full = /^hash: cannot write the output: no space left on device\n$/;
    const cases: [string[], RegExp, number][] = [
      [[], full, 1],
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

test("a line of output is there while the next file is still unread", needs("mkfifo"), async () => {
  await run("mkfifo", ["late", "late too"], { cwd: files });
  const cwd = { cwd: files };
  const feed = (pipe: string) => run("sh", ["-c", `printf abc > "$1"`, "sh", pipe], cwd);

  const cases: [string[], (program: Program) => void, string][] = [
    [["-f", "plain", "late"], () => feed("late"), `${ABC}  plain\n${ABC}  late\n`],
    [["-f", "plain", "-"], ({ child }) => child.stdin!.end("abc"), `${ABC}  plain\n${ABC}  -\n`],
    [["-c", "-"], ({ child }) => child.stdin!.end(`${ABC}  빈칸\n`), "plain: OK\n빈칸: OK\n"],
  ];
  await each(cases, async ([args, goOn, output]) => {
    const program = startScript("hash", args, cwd);
    if (args[0] === "-c") program.child.stdin!.write(`${ABC}  plain\n`);
    await program.prints(/plain.*\n/);
    goOn(program);
    assert.equal(await program.exit, 0);
    assert.equal(program.stdout(), output);
  });

  // In a file as well: tail sees it there.
  write("out", "");
  const reader = start("tail", ["-n", "+1", "-f", "out"], cwd);
  const writer = startShell(`exec "$@" > out`, "hash", ["-f", "plain", "late too"], cwd);
  await reader.prints(/plain\n/);
  await feed("late too");
  assert.equal(await writer.exit, 0);
  reader.child.kill();
});

test("what was finished before an interruption is not lost", needs("mkfifo"), async () => {
  await run("mkfifo", ["never"], { cwd: files });
  await each(["SIGINT", "SIGKILL"] as const, async (signal) => {
    const list = `${ABC}  plain\n${ABC}  never\n`;
    const program = startScript("hash", ["-c"], { cwd: files, input: list });
    await program.prints(/plain: OK\n/);
    program.child.kill(signal);
    assert.notEqual(await program.exit, 0);
    assert.equal(program.stdout(), "plain: OK\n");
  });
});

test("a line of a list is checked when it ends, however small its last piece was", async () => {
  const program = startScript("hash", ["-c"], { cwd: files });
  // Its verdict tells that a line has been read, and the piece of the next that came with it.
  program.child.stdin!.write(`${ABC}  빈칸\n${ABC}  plain`);
  await program.prints(/빈칸: OK\n/);
  program.child.stdin!.write("\n");
  await program.prints(/plain: OK\n/);
  program.child.stdin!.end();
  assert.equal(await program.exit, 0);
});

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
time.sleep(2)  # the pause is the subject: by now a long read would show progress
os.write(terminal, b"abc\\n")
time.sleep(0.3)  # so that these are two lines, which nothing would tell
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

test(
  "on a terminal: names are made safe, a long read shows progress and clears it",
  needs("script", "mkfifo"),
  async () => {
    writeFileSync(join(files, "red\u001b[31m"), "");
    const quoted = (args: string[]) =>
      words("hash", args)
        .map((word) => `'${word}'`)
        .join(" ");
    const shown = await run("script", ["-qec", quoted(["-f", "red\u001b[31m"]), "/dev/null"], {
      cwd: files,
    });
    assert.match(shown.stdout, /^[0-9a-f]{64}  red\\u001b\[31m\r\n$/);
    await run("mkfifo", ["go on"], { cwd: files });
    const halves = `head -c 3M /dev/zero; cat "go on"; head -c 3M /dev/zero`;
    const feed = `(${halves}) | ${quoted(["-f"])}`;
    const program = start("script", ["-qec", feed, "/dev/null"], { cwd: files, input: "" });
    await program.prints(/MiB\/s/);
    await run("sh", ["-c", `: > "go on"`], { cwd: files });
    assert.equal(await program.exit, 0);
    assert.match(
      program.stdout(),
      /\r\d MiB, \d+ MiB\/s\u001b\[K.*\r\u001b\[K[0-9a-f]{64}  -\r\n$/s,
    );
  },
);
