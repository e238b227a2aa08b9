// hash.ts and its command line: texts, options and their values, and arguments that are not what they were.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  ABC,
  EMPTY,
  MD5,
  SHA512,
  assertRefused,
  brief,
  each,
  files,
  hash,
  hashEach,
  inScratch,
  needs,
  refused,
  run,
  runEach,
  runScript,
  runShell,
  write,
  type Refusal,
} from "./helpers.ts";

const HELLO = "315f5bdb76d078c43b8ac0064e4a0164612b1fce77c869345bfc94c75894edd3";

test("the default text gives the document's digest", async () => {
  const { stdout, stderr, code } = await runScript("hash", []);
  assert.deepEqual([stdout, stderr, code], [`${HELLO}\n`, "", 0]);
});

test("a text is hashed as UTF-8, the empty text too", needs("sha256sum"), async () => {
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
    // What is refused is shown as it was typed.
    [["abc", "--expect", "ABCdef"], /"ABCdef"/],
    [["abc", "--algorithm", "Sha257"], /"Sha257"/],
    // A digest may name its algorithm, which must agree; a wrong one is no digest.
    [["abc", "-e", `md5:${MD5}`], /md5/],
    [["abc", "-a", "sha3-256", "-e", `sha256:${ABC}`], /sha256/], // of the same length
    [["abc", "-e", "  "], /--expect/],
  ];
  const all = wrong.map<Refusal>(([args, line]) => [args, line, / \(see --help\)\n$/]);
  await refused("hash", all, { status: 2 });
});

test("--expect: OK and 0, FAILED and 1; a digest that can't be right is a wrong command line", async () => {
  const digest = createHash("sha256").update("text").digest("hex");
  const { stdout, stderr, code } = await hash(["-f", "-e", digest], { input: "text" });
  assert.deepEqual([stdout, stderr, code], ["OK\n", "", 0]);
  const cases: [string[], RegExp, ...unknown[]][] = [
    [["text", "-e", digest.toUpperCase()], /^$/, "OK\n", 0],
    [["texts", "-e", digest], /^$/, "FAILED\n", 1],
    [["text", "-e", digest.replace(/.$/, digest.endsWith("0") ? "1" : "0")], /^$/, "FAILED\n", 1],
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

test("no variable of the environment changes what is checked", async () => {
  // This one made every list pass, when the script ran itself to use all cores.
  const list = { input: `${EMPTY}  plain\n`, env: { HASH_CHILD: "1" } };
  const { stdout, code } = await hash(["-c"], list);
  assert.deepEqual([stdout, code], ["plain: FAILED\n", 1]);
});

test("an argument that is not UTF-8 is refused, and never taken for another", async () => {
  write("l\ufffd", `${ABC}  plain\n`); // what the runtime makes of the bytes l and 0xff
  const text = await runShell(`"$@" "$(printf 'l\\377')"`, "hash", [], { cwd: files });
  const others = await hashEach([
    ["--check", "l\ufffd"],
    ["--file", "l\ufffd"],
    ["--key-file", "l\ufffd", "abc"],
    ["--expect", `${ABC}  l\ufffd`, "abc"],
  ]);
  for (const result of [text, ...others]) assertRefused("hash", result, {}, /U\+FFFD/);
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
  assertRefused("hash", await hash(["--file", "real \ufffd"]), {}, /U\+FFFD/, / < /);
  const piped = await runShell(`"$@" < "$(printf 'real \\357\\277\\275')"`, "hash", ["--file"], {
    cwd: files,
  });
  assert.deepEqual(brief(piped), [`${ABC}  -\n`, "", 0]);
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

test("an argument that is refused does not drive the terminal", async () => {
  for (const name of ["hash", "tls-client"]) {
    const { stderr, code } = await runShell(`"$@" "$(printf '\\377\\033[31mred')"`, name, []);
    assert.match(stderr, /^[\w-]+: \ufffd\\u001b\[31mred: this has U\+FFFD[^\u001b]*\n$/);
    assert.equal(code, 1);
  }
});
