// The formats of checksum lists, as the functions that they are. A few of each go through a whole script in
// the other files.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { ABC, EMPTY, MD5, inScratch } from "./helpers.ts";

process.env.LC_ALL = "C"; // before the sentences choose their language
const { algorithmNamed, checksumLine, pastedDigest, readList } =
  await import("../lib/checksums.ts");

// Other digests of the bytes abc (FIPS 180-4 and 202, RFC 7693).
const SHA512_256 = "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23";
const SHA3_256 = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532";
const BLAKE2B = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1".padEnd(128, "0");

type Kind = { algorithm?: string; binds?: boolean; key?: Buffer };

/** What a list comes to: its entries as "algorithm digest name", and its lines that are none. */
async function read(list: string | Buffer, kind: Kind = {}) {
  const file = inScratch("list");
  writeFileSync(file, list);
  const { entries: bursts, found } = readList(file, { algorithm: "sha256", binds: false, ...kind });
  const entries = [];
  for await (const burst of bursts) entries.push(...burst);
  assert.equal(found.proper, entries.length);
  const lines = entries.map(({ algorithm, digest, name }) =>
    [algorithm, digest, Buffer.from(name, "latin1")].join(" "),
  );
  return { ...found, lines };
}

test("algorithms by the names that people type", () => {
  const names: [string, string, number][] = [
    ["SHA-256", "sha256", 64],
    ["SHA2-256", "sha256", 64],
    ["Sha-384", "sha384", 96],
    ["SHA512/256", "sha512-256", 64],
    ["sha3_256", "sha3-256", 64],
    ["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.1", 64], // the OID of SHA-256
    ["MD-5", "md5", 32],
    ["blake2b", "blake2b512", 128],
    ["BLAKE2b-512", "blake2b512", 128],
    ["Blake2s", "blake2s256", 64],
    ["SHAKE-128", "shake-128", 0], // has no length of its own
  ];
  for (const [typed, algorithm, digits] of names)
    assert.deepEqual(algorithmNamed(typed), { algorithm, digits }, typed);
  for (const nothing of ["sha257", "", "sha256 ", "sha256\u0000x", "toString", "../sha256"])
    assert.equal(algorithmNamed(nothing).digits, undefined, nothing);
});

test("digests as people paste them", () => {
  const pasted: [string, string | undefined, string | undefined][] = [
    [` ${ABC}\n`, undefined, ABC],
    [`\tSHA256:${ABC.toUpperCase()} `, "SHA256", ABC],
    [`sha256: ${ABC}`, "sha256", ABC],
    [`SHA512/256:${SHA512_256}`, "SHA512/256", SHA512_256],
    [`${ABC} *plain`, undefined, ABC],
    [`${ABC}  a name with blanks.iso\n`, undefined, ABC],
    [`plain  ${ABC}`, undefined, undefined],
    ["g".repeat(64), undefined, undefined],
    [`${ABC}g`, undefined, undefined],
    ["  ", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [text, prefix, digest] of pasted)
    assert.deepEqual(pastedDigest(text), { prefix, digest }, text);
});

test("an algorithm that was asked for binds, by what it is and not by how it is spelt", async () => {
  const cases: [string, string, number][] = [
    ["sha512", `MD5 (plain) = ${MD5}\n`, 0],
    ["sha256", `MD5(plain)= ${MD5}\n`, 0],
    ["sha3-256", `SHA256 (plain) = ${ABC}\n`, 0], // of the same length
    ["sha256", `SHA256 (plain) = ${ABC}\nSHA2-256(plain)= ${ABC}\nsha256(plain)= ${ABC}\n`, 3],
    ["sha512-256", `SHA512/256 (a) = ${SHA512_256}\nSHA2-512/256(a)= ${SHA512_256}\n`, 2],
    ["sha3-256", `SHA3-256 (plain) = ${SHA3_256}\nSHA3-256(plain)= ${SHA3_256}\n`, 2],
    ["blake2b512", `BLAKE2b (plain) = ${BLAKE2B}\nBLAKE2B-512(plain)= ${BLAKE2B}\n`, 2],
  ];
  for (const [algorithm, list, proper] of cases) {
    const found = await read(list, { algorithm, binds: true });
    assert.deepEqual([found.proper, found.malformed], [proper, proper ? 0 : 1], list);
  }
});

test("a list in UTF-16 with its mark, or with that of UTF-8", async () => {
  const list = `\ufeff# 목록\r\n${ABC.toUpperCase()}  plain\r\n${EMPTY} *빈칸\r\n\r\nSHA256 (그림 😀) = ${ABC}`;
  const lines = [`sha256 ${ABC} plain`, `sha256 ${EMPTY} 빈칸`, `sha256 ${ABC} 그림 😀`];
  const utf16 = Buffer.from(list, "utf16le");
  for (const bytes of [list, utf16, Buffer.from(utf16).swap16()])
    assert.deepEqual(await read(bytes), {
      lines,
      proper: 3,
      malformed: 0,
      complaint: "it has no checksum in it",
    });
});

test("what a list is that has no proper line", async () => {
  const base64 = Buffer.from(ABC, "hex").toString("base64");
  const key = Buffer.from("key");
  const cases: [string, RegExp, Kind?][] = [
    [`${ABC}\n`, /^it is a bare digest, with no name; use --expect$/],
    [`${MD5}  plain\n`, /^its digests are as long as those of md5; see --algorithm$/],
    [`HMAC-SHA256(plain)= ${ABC}\n`, /^its lines are HMACs; give their key as --key-file$/],
    [`SHA256(plain)= ${ABC}\n`, /^its lines are digests, not HMACs; leave out/, { key }],
    [`SKEIN512 (plain) = ${ABC}\n`, /^there is no algorithm "SKEIN512" here$/],
    [`MD5 (plain) = ${MD5}\n`, /^its lines are MD5, and --algorithm asks for/, { binds: true }],
    [`${base64}  plain\n`, /^its digests are base64; hexadecimal digits are needed$/],
    [Buffer.from("plain\n", "utf16le").toString(), /^it is UTF-16 without its mark/],
    ["\x7fELF\u0002\u0001\n", /^it is a binary file, not a checksum list$/],
    ["nonsense\n", /^no line is a sha256 checksum$/],
  ];
  for (const [list, complaint, kind] of cases) {
    const found = await read(list, kind);
    assert.deepEqual(found.lines, []);
    assert.match(found.complaint, complaint);
  }
});

test("a name that has to be escaped is read as it was written", async () => {
  for (const name of ["back\\slash", "new\nline", "a\rb", "\\", "a\\nb", "plain", " x", "a) = b"]) {
    const { lines } = await read(checksumLine(ABC, name) + "\n");
    assert.deepEqual(lines, [`sha256 ${ABC} ${name}`]);
  }
  const { proper, malformed } = await read(`\\${ABC}  bad\\escape\n`);
  assert.deepEqual([proper, malformed], [0, 1]);
});
