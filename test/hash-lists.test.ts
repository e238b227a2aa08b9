// hash.ts --check: what a list may be, and what becomes of its lines.
import assert from "node:assert/strict";
import { createHash, getHashes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  ABC,
  EMPTY,
  MD5,
  SHA1,
  SHA384,
  SHA512,
  assertRefused,
  brief,
  check,
  each,
  files,
  hash,
  hashEach,
  inScratch,
  linux,
  needs,
  run,
  runShell,
  uncounted,
  write,
} from "./helpers.ts";

uncounted();

test("what is wrong is told apart, counted, and ends with status 1", async () => {
  const good = `${ABC.toUpperCase()}  plain\r\n${ABC}  빈칸\r\n`;
  const list = `\ufeff# a comment\r\n\r\n${good}${"0".repeat(64)}  plain
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
  write("one good line", `nonsense\n${ABC}  plain\n`);
  write("none", "# only a comment\n");
  const [warned, failed] = await hashEach([
    ["-c", "one good line"],
    ["-c", "none"],
  ]);
  assert.equal(warned!.stderr, "hash: one good line: lines that are not checksums: 1\n");
  assert.equal(warned!.code, 0);
  assert.equal(failed!.code, 1);
});

test("--ignore-missing: a list of which no file is there fails", async () => {
  const { code, stderr, stdout } = await check(`${"0".repeat(64)}  missing\n`, "--ignore-missing");
  assert.deepEqual(
    [stdout, stderr, code],
    ["", "hash: standard input: none of its files is there\n", 1],
  );
});

test("a list whose one digest lacks a digit is refused", async () => {
  const result = await check(`${ABC.slice(1)}  plain\n`);
  assertRefused("hash", result, {}, /: no line is a sha256 checksum$/m);
});

test("several lists: one that can't be read is a line, the others are checked", async () => {
  writeFileSync(inScratch("list"), `${ABC}  plain\n`);
  const { code, stdout, stderr } = await hash(["-c", "no list", ".", inScratch("list")]);
  assert.equal(stdout, "plain: OK\n");
  assert.equal(stderr, "hash: no list: no such file or directory\nhash: .: is a directory\n");
  assert.equal(code, 1);
});

test("--strict: a malformed line fails as well", async () => {
  const good = `${ABC}  plain\n`;
  const warning = (list: string) => `hash: ${list}: lines that are not checksums: 1\n`;
  write("malformed", `nonsense\n${good}`);
  write("commented", `# comment\n\n${good}`);
  const results = await hashEach([
    ["-c", "malformed"],
    ["-c", "malformed", "--strict", "--quiet"],
    ["-c", "commented", "--strict"],
    ["abc", "--strict"],
  ]);
  const [lenient, strict, comment, alone] = results.map(brief);
  assert.deepEqual(lenient, ["plain: OK\n", warning("malformed"), 0]);
  assert.deepEqual(strict, ["", warning("malformed"), 1]);
  assert.deepEqual(comment, ["plain: OK\n", "", 0]);
  assert.match(`${alone}`, /^,[^\n]*--strict[^\n]*--check[^\n]*\n,2$/);
  const dash = await check(`${EMPTY}  -\n${good}`, "--strict");
  assert.deepEqual(brief(dash), ["plain: OK\n", warning("standard input"), 1]);
});

test(
  "a list names its files in bytes: of the names l, U+FFFD and l, 0xff each is its own",
  linux("name that isn't UTF-8"),
  async () => {
    await runShell(`printf abc > "$(printf 'n\\377')"`, "hash", [], { cwd: files });
    write("n\ufffd", "");
    const list = Buffer.concat([
      Buffer.from(`${ABC}  n\u00ff\n`, "latin1"),
      Buffer.from(`${EMPTY}  n\ufffd\n`),
    ]);
    const { bytes, code } = await check(list);
    assert.equal(bytes.toString("latin1"), "n\u00ff: OK\nn\u00ef\u00bf\u00bd: OK\n");
    assert.equal(code, 0);
  },
);

test("a list on standard input can't name standard input; the rest of it is checked", async () => {
  const gnu = `${EMPTY}  -\n`;
  const bsd = `SHA256 (-) = ${EMPTY}\n`;
  await each([[gnu], [bsd], [gnu, "-"]], async ([list, ...args]) =>
    assertRefused("hash", await check(list!, ...args), {}, /^hash: standard input: /),
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
  write("mixed", md5 + sha256);
  const [bound, unasked] = await hashEach([
    ["-c", "mixed", "--algorithm", "sha256"],
    ["-c", "mixed"],
  ]);
  const warning = "hash: mixed: lines that are not checksums: 1\n";
  assert.deepEqual(brief(bound!), ["plain: OK\n", warning, 0]);
  assert.deepEqual([unasked!.stdout, unasked!.code], ["plain: OK\nplain: OK\n", 0]);
  assert.match(unasked!.stderr, /^hash: md5 no longer proves anything[^\n]*\n$/i);
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

test("a list that is one line without end, or binary, takes bounded memory", async () => {
  const program = `head -c 134217728 /dev/zero | tr '\\0' x | NODE_OPTIONS=--max-old-space-size=48 "$@"`;
  const { code, stderr } = await runShell(program, "hash", ["--check"]);
  assert.equal(stderr, "hash: standard input: no line is a sha256 checksum\n");
  assert.equal(code, 1);
  const binary = await hash(["--check", process.execPath]);
  assert.match(binary.stderr, /^hash: .*: it is a binary file, not a checksum list\n$/);
});

test("a long list takes constant memory", async () => {
  const path = "./".repeat(500);
  const lines = (digest: string, name: string) => `${digest}  ${path}${name}\n`.repeat(30_000);
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
