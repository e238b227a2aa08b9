// Checksum lists: a line for each file, its digest and its name, in the forms of
// https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html
// A name is bytes, not text, so that the lines of a list are read as latin1: a character, a byte.
import { createHash } from "node:crypto";
import { TextDecoder } from "node:util";
import { garbled, openInput, warn } from "./cli.ts";
import { t } from "./words.ts";

/** The algorithms to suggest, the default first. */
export const COMMON = "sha256, sha384, sha512, sha3-256, blake2b512";
const USUAL = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]; // in lists

type Algorithm = { algorithm: string; digits: number | undefined };
const known = new Map<string, Algorithm>(); // by their names in lower case, of which there are not many

/**
 * The runtime's name for an algorithm as people, BSD, GNU and OpenSSL write it ("SHA-512/256",
 * "sha3_256", "BLAKE2b"), and how many hex digits its digests have: 0 for an extendable-output function
 * (FIPS 202, 6.2), which has no length of its own; undefined for what is not there.
 */
export function algorithmNamed(name: string): Algorithm {
  const lower = name.toLowerCase();
  const cached = known.get(lower);
  if (cached) return cached;
  // The runtime would cut a name at a NUL, and newer ones at a blank.
  if (/[\s\0]/.test(lower)) return { algorithm: lower, digits: undefined };
  const usual = lower
    .replace(/[_/]/g, "-")
    .replace(/^(sha|md)2?-(?=\d)/, "$1")
    .replace(/^blake2b(-?512)?$/, "blake2b512")
    .replace(/^blake2s(-?256)?$/, "blake2s256");
  for (const algorithm of [usual, lower]) {
    try {
      // Only an extendable-output function can be told how many bytes to put out.
      createHash(algorithm, { outputLength: 1 });
      return { algorithm, digits: 0 };
    } catch {}
    try {
      const found = { algorithm, digits: createHash(algorithm).digest("hex").length };
      known.set(lower, found); // what is not there isn't remembered: a list may name as much as it likes
      return found;
    } catch {}
  }
  return { algorithm: usual, digits: undefined };
}

const warned = new Set<string>();

/**
 * Says once that an algorithm is broken: different data with the same digest can be made (RFC 6151 for
 * MD5, RFC 6194 for SHA-1).
 */
export function warnIfBroken(algorithm: string): void {
  if (!/md[245]|sha-?1(?!\d)/i.test(algorithm) || warned.has(algorithm)) return;
  warned.add(algorithm);
  warn(t`${algorithm} no longer proves anything against an attacker; use it for old lists only`);
}

const ESCAPED: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
const PLAIN: Record<string, string> = { "\\\\": "\\", "\\n": "\n", "\\r": "\r" };

/** A line with a name in it. A backslash or a line end is escaped, and a backslash begins the line. */
function line(before: string, name: string, after: string): string {
  const escaped = name.replace(/[\\\n\r]/g, (c) => ESCAPED[c]!);
  return `${escaped === name ? "" : "\\"}${before}${escaped}${after}`;
}

/** A line as `sha256sum` prints it: `DIGEST  NAME`. */
export function checksumLine(digest: string, name: string): string {
  return line(`${digest}  `, name, "");
}

/** A line as `sha256sum --check` prints it: `NAME: OK`. */
export function resultLine(name: string, result: string): string {
  return line("", name, `: ${result}`);
}

/** A digest as people paste it: "sha256:" before it, a name behind it, blanks around it. */
export function pastedDigest(pasted: string): {
  prefix: string | undefined;
  digest: string | undefined;
} {
  const [, prefix, digest] = /^(?:([\w/-]+):)?\s*([0-9a-f]+)(?:\s|$)/i.exec(pasted.trim()) ?? [];
  return { prefix, digest: digest?.toLowerCase() };
}

/** What a list is expected to be: of this algorithm; or, if that doesn't bind, of any that it names. */
export type Kind = { algorithm: string; binds: boolean; key?: Buffer | undefined };
/** A file that a list names: how to hash it, and the digest that it should have. */
export type Entry = {
  path: string | Buffer; // "-": standard input
  algorithm: string;
  key: Buffer | undefined;
  name: string; // as the list has it, a character for a byte
  digest: string; // hex, lower case
};
/** What was found in a list so far: how many lines are proper, and not; what is wrong with the first that is not. */
export type Findings = { proper: number; malformed: number; complaint: string };

const LONGEST = 64 * 1024; // bytes of a line that are kept: a name has at most 4096 (PATH_MAX)
const GNU = /^[ \t]*(?<mark>\\?)(?<hex>[0-9a-f]+)[ \t](?<name>.+)$/is;
const TAG = /^[ \t]*(?<mark>\\?)(?<hmac>HMAC-)?(?<tag>[a-z0-9/_-]+) ?\(/i;
const VALUE = /^\)[ \t]*=[ \t]*(?<hex>\S+)[ \t]*$/;

/**
 * The parts of a line `TAG (NAME) = HEX`. The name ends at the last ")": one pattern for the whole line would
 * try each of them, and a line of nothing else would take it the square of its length.
 */
function tagged(line: string) {
  const end = line.lastIndexOf(")");
  const [head, value] = [TAG.exec(line), VALUE.exec(line.slice(end))];
  if (!head || !value || head[0].length > end) return undefined;
  return { ...head.groups, ...value.groups, name: line.slice(head[0].length, end) };
}

type Parts = { mark?: string; hmac?: string; tag?: string; hex?: string; name?: string };

/**
 * Reads a list ("-": standard input): its entries, in bursts, as they come, and what was found in it until
 * then. Empty lines, and those that begin with "#", are none. Reading throws where the list can't be read.
 */
export function readList(list: string, kind: Kind) {
  const found: Findings = { proper: 0, malformed: 0, complaint: t`it has no checksum in it` };
  const parse = parser(kind, list === "-");

  async function* entries(): AsyncGenerator<Entry[]> {
    const wrong = garbled(list);
    if (wrong) throw new Error(wrong);
    for await (const lines of linesOf(list)) {
      const entries: Entry[] = [];
      for (const line of lines) {
        const entry = parse(line);
        if (entry) {
          if (!entry.key) warnIfBroken(entry.algorithm);
          entries.push(entry);
        } else if (line && !line.startsWith("#")) {
          if (found.malformed++ === 0) found.complaint = complaintAbout(line, kind);
        }
      }
      found.proper += entries.length;
      yield entries;
    }
  }
  return { entries: entries(), found };
}

/** Reads the lines of one list, each as an entry, or undefined if it is none. */
function parser(kind: Kind, fromInput: boolean): (line: string) => Entry | undefined {
  // A list is all of the form DIGEST NAME, or not at all. Its first proper line decides, and no other: else
  // whoever puts `0 x` above a signed list could have us read other files than it names.
  let oneSpace: boolean | undefined;

  return (line) => {
    const gnu = GNU.exec(line)?.groups;
    const { mark, hmac, tag, hex = "", ...found }: Parts = gnu ?? tagged(line) ?? {};
    let { name = "" } = found;
    const { algorithm, digits } = algorithmNamed(tag ?? kind.algorithm);
    const digest = hex.toLowerCase();
    if (digest.length !== digits || /[^0-9a-f]/.test(digest) || line.includes("\0"))
      return undefined;
    if (kind.binds && algorithm !== kind.algorithm) return undefined;
    if (tag && !hmac !== !kind.key) return undefined;
    const second = name.length > 1 && /[ *]/.test(name[0]!); // DIGEST  NAME, DIGEST *NAME
    const form = oneSpace ?? !second;
    if (gnu && !form) {
      if (!second) return undefined;
      name = name.slice(1);
    }
    if (mark) {
      if (/\\(?![\\nr])/.test(name.replaceAll("\\\\", ""))) return undefined;
      name = name.replace(/\\[\\nr]/g, (escape) => PLAIN[escape]!);
    }
    if (name === "-" && fromInput) return undefined; // that is the list itself
    if (gnu) oneSpace = form;
    const path = name === "-" ? name : Buffer.from(name, "latin1");
    return { path, algorithm, key: kind.key, name, digest };
  };
}

/** What a line may be that is no proper one. */
function complaintAbout(line: string, { algorithm, binds, key }: Kind): string {
  const { hmac, tag, hex }: Parts = tagged(line) ?? {};
  const digest = hex ?? /^[ \t]*\\?([^ \t]+)/.exec(line)?.[1] ?? "";
  const length = (name: string) => algorithmNamed(name).digits;
  if (/^([^\0]\0){4}|^(\0[^\0]){4}/.test(line))
    return t`it is UTF-16 without its mark; convert it to UTF-8`;
  if (/[\0-\x08\x0e-\x1f]/.test(line)) return t`it is a binary file, not a checksum list`;
  if (hmac && !key) return t`its lines are HMACs; give their key as --key-file`;
  if (tag && key && !hmac) return t`its lines are digests, not HMACs; leave out --key-file`;
  if (tag && !length(tag)) return t`there is no algorithm "${tag}" here`;
  if (tag && binds && algorithmNamed(tag).algorithm !== algorithm)
    return t`its lines are ${tag}, and --algorithm asks for ${algorithm}`;
  if (/^[0-9a-f]+$/i.test(digest)) {
    if (digest.length === length(tag ?? algorithm) && digest === line.trim())
      return t`it is a bare digest, with no name; use --expect`;
    const others = USUAL.filter((name) => length(name) === digest.length);
    if (digest.length !== length(tag ?? algorithm) && others.length > 0)
      return t`its digests are as long as those of ${others.join(", ")}; see --algorithm`;
  } else if (/^[a-z0-9+/]{22,}={0,2}$/i.test(digest))
    return t`its digests are base64; hexadecimal digits are needed`;
  return t`no line is a ${algorithm} checksum`;
}

/** The lines of a list, in bursts; of one that is too long, so little that it can't be proper. */
async function* linesOf(list: string): AsyncGenerator<string[]> {
  let rest = "";
  for await (const text of latin1(list)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST) rest = `${rest[0]}?`;
    yield lines.map((line) => line.replace(/\r$/, ""));
  }
  if (rest) yield [rest.replace(/\r$/, "")];
}

/**
 * The list's bytes as characters. A list in UTF-16, as PowerShell's > writes it, begins with a mark. Throws
 * where it isn't what its mark says: a name in it would be another's.
 */
async function* latin1(list: string): AsyncGenerator<string> {
  let [bytes, begun] = [Buffer.alloc(0), false];
  let utf16: TextDecoder | undefined;
  for await (const chunk of openInput(list)) {
    bytes = Buffer.concat([bytes, chunk]);
    if (!begun && bytes.length < 4) continue;
    const mark = begun ? "" : bytes.toString("hex", 0, 4);
    begun = true;
    if (/^(fffe0000|0000feff)/.test(mark)) throw new Error(t`it is UTF-32; convert it to UTF-8`);
    if (mark.startsWith("fffe")) utf16 = new TextDecoder("utf-16le", { fatal: true });
    if (mark.startsWith("feff")) utf16 = new TextDecoder("utf-16be", { fatal: true });
    if (mark.startsWith("efbbbf")) bytes = bytes.subarray(3); // that of UTF-8
    yield decoded(bytes, utf16);
    bytes = Buffer.alloc(0);
  }
  yield decoded(bytes, undefined); // of a list of less than four
  if (utf16) decoded(bytes, utf16, false);
}

function decoded(bytes: Buffer, utf16: TextDecoder | undefined, stream = true): string {
  if (!utf16) return bytes.toString("latin1");
  try {
    return Buffer.from(utf16.decode(bytes, { stream })).toString("latin1");
  } catch {
    throw new Error(t`it begins like UTF-16, and is none; convert it to UTF-8`);
  }
}
