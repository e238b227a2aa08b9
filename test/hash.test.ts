import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { inScratch, needs, run, runEach, runScript, runShell, scratch } from "./helpers.ts";

const HELLO = "315f5bdb76d078c43b8ac0064e4a0164612b1fce77c869345bfc94c75894edd3";

test("the default text gives the document's digest", async () => {
  const { stdout, stderr, code } = await runScript("hash", []);
  assert.deepEqual([stdout, stderr, code], [`${HELLO}\n`, "", 0]);
});

test("a text is hashed as UTF-8, the empty text too", async () => {
  const korean = await run("sha256sum", [], { input: "안녕" });
  const results = await runEach("hash", [["abc"], [""], ["안녕"]]);
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    [
      // Published: FIPS 180-4 examples (NIST, "SHA256.pdf"), and the digest of no bytes at all.
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
      korean.stdout.split(" ")[0] + "\n",
    ],
  );
});

test("files and standard input print what sha256sum prints", needs("sha256sum"), async () => {
  const names = ["plain.txt", "with space", "back\\slash", "new\nline", "-dash", "빈 파일"];
  for (const name of names) writeFileSync(inScratch(name), name.repeat(100_000));
  writeFileSync(inScratch("빈 파일"), "");
  const files = [...names.map((name) => `./${name}`), "-"];
  const options = { cwd: scratch, input: "standard input" };
  const theirs = await run("sha256sum", ["--", ...files], options);
  const ours = await runScript("hash", ["--file", "--", ...files], options);
  assert.equal(ours.stdout, theirs.stdout);
  assert.equal(ours.code, 0);
  const noPath = await runScript("hash", ["--file"], { input: "standard input" });
  assert.equal(noPath.stdout, ours.stdout.split("\n").at(-2) + "\n");
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

test("a wrong command line is one line and status 2", async () => {
  const wrong: [string[], RegExp][] = [
    [["one", "two"], /more than one text; quote it: "one two"/],
    [["--nonsense"], /unknown option --nonsense/],
    [["--algorithm"], /--algorithm needs a value/],
    [["--algorithm="], /--algorithm needs a value/],
    [["--file=yes"], /--file takes no value/],
    [["--algorithm", "sha257"], /no algorithm "sha257" here; common ones: sha256, /],
    [["-a", "shake128"], /shake128 has no fixed length/],
    [["-a", "x\u001b[31m\ny"], /no algorithm "x\\u001b\[31m\\ny"/],
  ];
  const results = await runEach(
    "hash",
    wrong.map(([args]) => args),
  );
  for (const [i, { stdout, stderr, code }] of results.entries()) {
    assert.match(stderr, wrong[i]![1]);
    assert.match(stderr, /^hash: [^\n]* \(see --help\)\n$/);
    assert.deepEqual([stdout, code], ["", 2], stderr);
  }
  const { stderr, code } = await runScript("hash", wrong[0]![0]); // in a process of its own
  assert.deepEqual([stderr, code], [results[0]!.stderr, 2]);
});

test("a reader that goes away ends it quietly; a full disk is one line", async () => {
  const names = Array.from({ length: 300 }, () => inScratch("plain.txt"));
  const early = await runShell(`"$@" | head -1`, "hash", ["--file", ...names]);
  assert.equal(early.stderr, "");
  assert.equal(early.stdout.split("\n").length, 2);
  const { code, stderr } = await runShell(`"$@" >/dev/full`, "hash", []);
  assert.match(stderr, /^hash: cannot write the output: no space left on device\n$/);
  assert.equal(code, 1);
});
