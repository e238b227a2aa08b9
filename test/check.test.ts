// hash.ts --check, --expect and --key-file, beside the tools that people have.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  inScratch,
  needs,
  run,
  runEach,
  runScript,
  runShell,
  words,
  type Options,
} from "./helpers.ts";

const files = inScratch("files");
mkdirSync(files);
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
for (const name of NAMES) writeFileSync(join(files, name), name);
const LATIN1 = Buffer.concat([Buffer.from(`${files}/`), Buffer.from("caf\u00e9", "latin1")]);
writeFileSync(LATIN1, "latin1");

const hash = (args: string[], options: Options = {}) =>
  runScript("hash", args, { cwd: files, ...options });
const hashEach = (cases: string[][]) => runEach("hash", cases, { cwd: files });
const check = (list: string | Buffer, ...args: string[]) => hash(["-c", ...args], { input: list });

test("sha256sum accepts our lists, and we accept its", needs("sha256sum"), async () => {
  const ours = await hash(["-f", "--", ...NAMES]);
  const theirs = await run("sha256sum", ["-c"], { cwd: files, input: ours.stdout });
  assert.equal(theirs.code, 0, theirs.stderr);
  // The shell's * has the latin1 name as well.
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

test("published vectors", async () => {
  // NIST, FIPS 180-4 examples: "abc", and the message of two blocks.
  const twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const plain: [string, string, string][] = [
    ["sha256", twoBlocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
    [
      "sha384",
      "abc",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ],
  ];
  // RFC 4231, test cases 1 and 6 (a key longer than a block), HMAC-SHA-256.
  const macs: [Buffer, string, string][] = [
    [
      Buffer.alloc(20, 0x0b),
      "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      Buffer.alloc(131, 0xaa),
      "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ];
  for (const [i, [key]] of macs.entries()) writeFileSync(inScratch(`rfc4231-${i}`), key);
  const results = await hashEach([
    ...plain.map(([algorithm, text]) => ["-a", algorithm, text]),
    ...macs.map(([, text], i) => ["--key-file", inScratch(`rfc4231-${i}`), text]),
  ]);
  assert.deepEqual(
    results.map(({ stdout }) => stdout.trim()),
    [...plain, ...macs].map(([, , digest]) => digest),
  );
});

test("what is wrong is told apart, counted, and ends with status 1", async () => {
  const good = (await hash(["-f", "plain", "빈칸"])).stdout;
  const list = `\ufeff# a comment\r\n\r\n${good.toUpperCase().replace("PLAIN", "plain").replace(/\n/g, "\r\n")}${"0".repeat(64)}  plain
${"0".repeat(64)}  missing
nonsense
${"0".repeat(63)}  plain
\\${"0".repeat(64)}  bad\\escape
SHA999 (plain) = ${"0".repeat(64)}
`;
  const { code, stdout, stderr } = await check(list);
  assert.equal(stdout, "plain: OK\n빈칸: OK\nplain: FAILED\nmissing: FAILED open or read\n");
  assert.equal(
    stderr,
    `hash: missing: no such file or directory
hash: standard input: files that do not match: 1
hash: standard input: files that could not be read: 1
hash: standard input: lines that are not checksums: 4
`,
  );
  assert.equal(code, 1);
  const quiet = await check(list, "--quiet", "--ignore-missing");
  assert.equal(quiet.stdout, "plain: FAILED\n");
  assert.equal(quiet.code, 1);
});

test("a malformed line alone only warns; a list without any other fails", async () => {
  const good = (await hash(["-f", "plain"])).stdout;
  const warned = await check(`nonsense\n${good}`);
  assert.equal(warned.stderr, "hash: standard input: lines that are not checksums: 1\n");
  assert.equal(warned.code, 0);
  assert.equal((await check("# only a comment\n")).code, 1);
});

test("--ignore-missing: a list of which no file is there fails", async () => {
  const { code, stderr, stdout } = await check(`${"0".repeat(64)}  missing\n`, "--ignore-missing");
  assert.deepEqual(
    [stdout, stderr, code],
    ["", "hash: standard input: none of its files is there\n", 1],
  );
});

test("several lists: one that can't be read is a line, the others are checked", async () => {
  writeFileSync(inScratch("list"), (await hash(["-f", "plain"])).stdout);
  const { code, stdout, stderr } = await hash(["-c", "no list", ".", inScratch("list")]);
  assert.equal(stdout, "plain: OK\n");
  assert.equal(stderr, "hash: no list: no such file or directory\nhash: .: is a directory\n");
  assert.equal(code, 1);
});

test("a list that is one line without end, or binary, takes bounded memory", async () => {
  const program = `head -c 256M /dev/zero | tr '\\0' x | NODE_OPTIONS=--max-old-space-size=48 "$@"`;
  const { code, stderr } = await runShell(program, "hash", ["--check"]);
  assert.equal(stderr, "hash: standard input: no line is a sha256 checksum\n");
  assert.equal(code, 1);
  const binary = await hash(["--check", process.execPath]);
  assert.match(binary.stderr, /^hash: .*: it is a binary file, not a checksum list\n$/);
});

test("--expect: OK and 0, FAILED and 1; a digest that can't be right is a wrong command line", async () => {
  const digest = createHash("sha256").update("text").digest("hex");
  const { stdout, stderr, code } = await hash(["-f", "-e", digest], { input: "text" });
  assert.deepEqual([stdout, stderr, code], ["OK\n", "", 0]);
  const cases: [string[], RegExp, ...unknown[]][] = [
    [["text", "-e", digest.toUpperCase()], /^$/, "OK\n", 0],
    [["texts", "-e", digest], /^$/, "FAILED\n", 1],
    [["-e", "abc"], /--expect must be 64 hex digits, as sha256 has, not "abc"/],
    [["-f", "-e", digest, "plain", "빈칸"], /--expect takes one file/],
    [["-c", "-e", digest], /--expect and --check exclude each other/],
    [["-c", "-f"], /--file and --check exclude each other/],
    [["-q"], /--quiet, --strict and --ignore-missing are for --check/],
  ];
  const results = await hashEach(cases.map(([args]) => args));
  for (const [i, { stdout, stderr, code }] of results.entries()) {
    const [, line, output = "", status = 2] = cases[i]!;
    assert.match(stderr, line);
    assert.match(stderr, /^([^\n]+\n)?$/);
    assert.deepEqual([stdout, code], [output, status], stderr);
  }
});

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

test(
  "many files, large and small: hashed side by side, printed in order",
  needs("sha256sum"),
  async () => {
    const names = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    for (const [i, name] of names.entries())
      writeFileSync(
        join(files, name),
        Buffer.alloc(i % 10 === 0 ? (40 - i) * 256 * 1024 : i, name),
      );
    const theirs = await run("sha256sum", [...names, ...names], { cwd: files });
    const ours = await hash(["-f", ...names, ...names, "missing"]);
    assert.equal(ours.stdout, theirs.stdout);
    assert.equal(ours.stderr, "hash: missing: no such file or directory\n");
    assert.equal((await check(theirs.stdout)).code, 0);
  },
);

test("pipes are read to their end", async () => {
  const program = `mkfifo pipe && { printf abc > pipe & "$@"; }`;
  const { stdout } = await runShell(program, "hash", ["-f", "pipe", "plain"], { cwd: files });
  assert.match(stdout, /^ba7816bf[0-9a-f]{56}  pipe\n[0-9a-f]{64}  plain\n$/);
  rmSync(join(files, "pipe"));
});

test("standard input that is non-blocking is waited for", needs("python3"), async () => {
  const program = `
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(r, False)
child = subprocess.Popen(sys.argv[1:], stdin=r)
os.close(r)
while b"node" not in open(f"/proc/{child.pid}/cmdline", "rb").read(): pass
time.sleep(1)  # so that it has found nothing to read
os.write(w, b"abc")
os.close(w)
sys.exit(child.wait())`;
  const { stdout } = await run("python3", ["-c", program, ...words("hash", ["-f"])]);
  assert.match(stdout, /^ba7816bf[0-9a-f]{56}  -\n$/);
});

test("a name that is not UTF-8 is one line, no other file is hashed, and the rest is done", async () => {
  writeFileSync(join(files, "caf\ufffd"), "another file");
  const { stdout, stderr, code } = await runShell(
    `"$@" -f plain "$(printf 'caf\\351')"`,
    "hash",
    [],
    { cwd: files, env: { LC_ALL: "C.UTF-8" } },
  );
  assert.match(stdout, /^[0-9a-f]{64}  plain\n$/);
  assert.match(stderr, /^hash: caf\ufffd: this has U\+FFFD in it[^\n]*\n$/);
  assert.equal(code, 1);
});

test(
  "on a terminal: names are made safe, a long read shows progress and clears it",
  needs("script"),
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
    const feed = `(head -c 3M /dev/zero; sleep 1.2; head -c 3M /dev/zero) | ${quoted(["-f"])}`;
    const { stdout } = await run("script", ["-qec", feed, "/dev/null"], { cwd: files });
    assert.match(stdout, /\r\d MiB, \d+ MiB\/s\u001b\[K.*\r\u001b\[K[0-9a-f]{64}  -\r\n$/s);
  },
);
