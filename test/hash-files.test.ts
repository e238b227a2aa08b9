// hash.ts --file and --key-file: files, pipes and standard input.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  EMPTY,
  files,
  hash,
  hashEach,
  inScratch,
  linux,
  needs,
  run,
  runScript,
  runShell,
  scratch,
  words,
} from "./helpers.ts";

test("files and standard input print what sha256sum prints", needs("sha256sum"), async () => {
  const names = ["plain.txt", "with space", "back\\slash", "new\nline", "-dash", "빈 파일"];
  for (const name of names) writeFileSync(inScratch(name), name.repeat(100_000));
  writeFileSync(inScratch("빈 파일"), "");
  const files = [...names.map((name) => `./${name}`), "-", "-"]; // which is at its end, the second time
  const options = { cwd: scratch, input: "standard input" };
  const theirs = await run("sha256sum", ["--", ...files], options);
  const ours = await runScript("hash", ["--file", "--", ...files], options);
  assert.equal(ours.stdout, theirs.stdout);
  assert.equal(ours.code, 0);
  const fromFile = await runShell('"$@" < plain.txt', "hash", ["--file", "-", "-"], options);
  assert.equal(fromFile.stdout, `${theirs.stdout.slice(0, 64)}  -\n${EMPTY}  -\n`);
  const noPath = await runScript("hash", ["--file"], { input: "standard input" });
  assert.equal(noPath.stdout, ours.stdout.split("\n").at(-3) + "\n");
});

test("a carriage return in a name is escaped, as newer versions of coreutils do", async () => {
  writeFileSync(inScratch("a\rb"), "abc");
  const { stdout } = await runScript("hash", ["-f", "a\rb"], { cwd: scratch });
  assert.match(stdout, /^\\ba7816bf[0-9a-f]{56}  a\\rb\n$/);
});

test("a file that can't be read is one line; the others are still hashed", async () => {
  writeFileSync(inScratch("one"), "1");
  writeFileSync(inScratch("two"), "2");
  mkdirSync(inScratch("folder"));
  const args = ["--file", "one", "missing", "folder", "two"];
  const { code, stdout, stderr } = await runScript("hash", args, { cwd: scratch });
  assert.equal(code, 1);
  assert.match(stdout, /^[0-9a-f]{64}  one\n[0-9a-f]{64}  two\n$/);
  assert.equal(stderr, "hash: missing: no such file or directory\nhash: folder: is a directory\n");
});

test(
  "a file without permission is one line",
  { skip: process.getuid?.() === 0 && "root may read anything" },
  async () => {
    writeFileSync(inScratch("secret"), "1");
    chmodSync(inScratch("secret"), 0);
    const { code, stderr } = await runScript("hash", ["-f", inScratch("secret")]);
    assert.equal(code, 1);
    assert.match(stderr, /^hash: .*: permission denied\n$/);
  },
);

test("a key that is empty or not there is an error; a pipe is a key like any other", async () => {
  writeFileSync(inScratch("empty-key"), "");
  const keys = ["empty-key", "no-key"].map((name) => ["--key-file", inScratch(name)]);
  const [empty, missing] = await hashEach(keys);
  assert.match(empty!.stderr, /^hash: --key-file .*empty-key is empty\n$/);
  assert.equal(empty!.code, 1);
  assert.match(
    missing!.stderr,
    /^hash: cannot read --key-file .*no-key: no such file or directory\n$/,
  );
  assert.equal(missing!.code, 1);
  // Large files are hashed by threads, which have to have the key as well.
  const large = join(files, "large");
  writeFileSync(large, Buffer.alloc(20 * 1024 * 1024));
  writeFileSync(inScratch("key2"), "key");
  const direct = await hash(["--key-file", inScratch("key2"), "-f", "large", "large", "plain"]);
  const args = ["--key-file", "/dev/stdin", "-f", large, large];
  const piped = await runShell(`printf key | "$@"`, "hash", args);
  assert.equal(piped.stdout.split(" ")[0], direct.stdout.split(" ")[0]);
  const openssl = await run("openssl", ["dgst", "-hmac", "key", "-r", "large"], { cwd: files });
  assert.equal(direct.stdout.split(" ")[0], openssl.stdout.split(" ")[0]);
  assert.equal(direct.stdout.split("\n").length, 4);
});

test("pipes are read to their end", async () => {
  const program = `mkfifo pipe && { printf abc > pipe & "$@"; }`;
  const { stdout } = await runShell(program, "hash", ["-f", "pipe", "plain"], { cwd: files });
  assert.match(stdout, /^ba7816bf[0-9a-f]{56}  pipe\n[0-9a-f]{64}  plain\n$/);
  rmSync(join(files, "pipe"));
});

test("standard input that is non-blocking is waited for", linux("/proc", "python3"), async () => {
  const program = `
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(r, False)
child = subprocess.Popen(sys.argv[1:], stdin=r)
os.close(r)
time.sleep(1)  # the pause is the subject: it has found nothing to read by now
os.write(w, b"abc")
os.close(w)
sys.exit(child.wait())`;
  const { stdout } = await run("python3", ["-c", program, ...words("hash", ["-f"])]);
  assert.match(stdout, /^ba7816bf[0-9a-f]{56}  -\n$/);
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
    { env: korean },
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
