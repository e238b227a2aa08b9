// hash.ts beside the tools that people have: what one writes, the other accepts.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { check, files, hash, hashEach, inScratch, needs, run, write } from "./helpers.ts";

// Names that a list has trouble with. The last is latin1: the test's own command line can't carry it.
const NAMES = [
  "plain",
  "two words ",
  " before",
  "back\\slash",
  "new\nline",
  "-dash",
  "a) = b",
  "빈칸",
];
for (const name of NAMES) write(name, name);
const LATIN1 = Buffer.concat([Buffer.from(`${files}/`), Buffer.from("caf\u00e9", "latin1")]);

test("sha256sum accepts our lists, and we accept its", needs("sha256sum"), async () => {
  const ours = await hash(["-f", "--", ...NAMES]);
  const theirs = await run("sha256sum", ["-c"], { cwd: files, input: ours.stdout });
  assert.equal(theirs.code, 0, theirs.stderr);
  writeFileSync(LATIN1, "latin1"); // the shell's * has it as well
  const formats = ["--text", "--binary", "--tag"];
  const lists = formats.map((format) => inScratch(`list${format}`));
  for (const [i, format] of formats.entries())
    await run("sh", ["-c", `sha256sum ${format} -- * > ${lists[i]}`], { cwd: files });
  const checked = await hash(["-c", ...lists]);
  const again = await run("sha256sum", ["-c", ...lists], { cwd: files });
  // From 9.4 on, sha256sum escapes a backslash in a verdict as well.
  const newer = again.bytes.toString("latin1").replace(/^back\\slash:/gm, "\\back\\\\slash:");
  assert.equal(checked.bytes.toString("latin1"), newer);
  assert.deepEqual([checked.stderr, checked.code], ["", 0]);
  assert.equal(checked.stdout.split("\n").length - 1, 3 * (NAMES.length + 1));
});

test(
  "other algorithms: sha512sum, md5sum, b2sum",
  needs("sha512sum", "md5sum", "b2sum"),
  async () => {
    const lists: string[] = [];
    const algorithms = ["sha512", "md5", "blake2b512"];
    const ours = await hashEach(algorithms.map((name) => ["-a", name, "-f", "--", ...NAMES]));
    for (const [i, tool] of ["sha512sum", "md5sum", "b2sum"].entries()) {
      const theirs = await run(tool, ["--", ...NAMES], { cwd: files });
      assert.equal(ours[i]!.stdout, theirs.stdout);
      const tagged = await run(tool, ["--tag", "--", ...NAMES], { cwd: files });
      lists.push(tagged.stdout);
    }
    // The lines name their algorithm; where they do not, --algorithm does.
    const { code, stderr } = await check(lists.join(""));
    assert.equal(code, 0);
    assert.match(stderr, /^hash: md5 no longer proves anything[^\n]*\n$/);
    const blake2 = await run("b2sum", ["plain"], { cwd: files });
    assert.equal((await check(blake2.stdout, "-a", "BLAKE2b")).stdout, "plain: OK\n");
  },
);

test("openssl dgst, plain and HMAC", needs("openssl"), async () => {
  const key = "a key of some bytes";
  writeFileSync(inScratch("key"), key);
  // It does not escape a line end.
  const names = NAMES.filter((name) => !name.includes("\n")).map((name) => `./${name}`);
  const lists = ["sha256", "sha1", "sha512", "sha3-512", "sha512-256", "blake2s256"].map(
    (algorithm) => run("openssl", ["dgst", `-${algorithm}`, ...names], { cwd: files }),
  );
  const all = (await Promise.all(lists)).map(({ stdout }) => stdout).join("");
  const plain = await check(all);
  assert.match(plain.stderr, /^hash: sha1 no longer proves anything[^\n]*\n$/);
  assert.equal(plain.stdout.match(/: OK$/gm)?.length, 6 * names.length);
  const list = await run("openssl", ["dgst", "-sha256", "-hmac", key, ...names], { cwd: files });
  assert.equal((await check(list.stdout, "--key-file", inScratch("key"))).code, 0);
  const wrong = await check(list.stdout);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /its lines are HMACs; give their key as --key-file/);
  const coreutils = await run("openssl", ["dgst", "-sha256", "-r", "plain"], { cwd: files });
  assert.equal((await check(coreutils.stdout)).stdout, "plain: OK\n");
});

test("Python's hashlib and hmac", needs("python3"), async () => {
  const program = `
import hashlib, hmac, sys
for name in ("sha256", "sha384", "sha3_256", "blake2b"):
    print(f"{name} (abc) = {hashlib.new(name, b'abc').hexdigest()}")
    print(f"HMAC-{name} (abc) = {hmac.new(b'key', b'abc', name).hexdigest()}", file=sys.stderr)`;
  const { stdout, stderr } = await run("python3", ["-c", program]);
  writeFileSync(join(files, "abc"), "abc");
  writeFileSync(inScratch("python-key"), "key");
  assert.equal((await check(stdout)).stdout, "abc: OK\n".repeat(4));
  const macs = await check(stderr, "--key-file", inScratch("python-key"));
  assert.equal(macs.stdout, "abc: OK\n".repeat(4));
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
