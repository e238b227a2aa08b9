// The checksum-list formats: one line for each file, its digest and its name.
// https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html
// A name is bytes, not text, so the lines of a list are read here as latin1: a character, a byte.

export type Entry = {
  digest: string; // hex, lower case
  name: string;
  algorithm?: string; // where the line names one
  hmac: boolean | undefined; // undefined where the line doesn't say
};

const ESCAPED: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
const PLAIN: Record<string, string> = { "\\\\": "\\", "\\n": "\n", "\\r": "\r" };

/**
 * A line as `sha256sum` prints it: `DIGEST  NAME`. A name with a backslash or a line end in it is
 * escaped, and a backslash before the digest says so.
 */
export function checksumLine(digest: string, name: string): string {
  const escaped = escapeName(name);
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}`;
}

/** A line as `sha256sum --check` prints it: `NAME: OK`. Here only a line end has a name escaped. */
export function resultLine(name: string, result: string): string {
  return /[\n\r]/.test(name) ? `\\${escapeName(name)}: ${result}` : `${name}: ${result}`;
}

function escapeName(name: string): string {
  return name.replace(/[\\\n\r]/g, (c) => ESCAPED[c]!);
}

/**
 * What a line of a list says, or undefined where it is no proper line. Three forms:
 * `DIGEST  NAME` (GNU), `SHA256 (NAME) = DIGEST` (BSD), `SHA2-256(NAME)= DIGEST` (OpenSSL, which
 * writes `HMAC-` before it for an HMAC).
 */
export function parseLine(line: string): Entry | undefined {
  if (line.includes("\0")) return undefined;
  const gnu = /^[ \t]*(\\?)([0-9a-f]+)[ \t][ *]?(.+)$/is.exec(line);
  if (gnu) return entry(gnu[1]!, gnu[2]!, gnu[3]!);
  const tagged = /^[ \t]*(\\?)(HMAC-)?([a-z0-9/_-]+) ?\((.+)\) ?= ?([0-9a-f]+)$/is.exec(line);
  if (!tagged) return undefined;
  const [, backslash, hmac, tag, name, digest] = tagged;
  const algorithm = algorithmOf(tag!);
  const parsed = entry(backslash!, digest!, name!);
  return parsed && { ...parsed, algorithm, hmac: hmac !== undefined };
}

/** Whether a line may be the beginning of OpenSSL's form: it writes a line end in a name as it is. */
export function isUnfinished(line: string): boolean {
  return /^(HMAC-)?[a-z0-9/-]+\(/i.test(line) && line.length < 8192;
}

function entry(backslash: string, digest: string, name: string): Entry | undefined {
  if (backslash) {
    if (/\\(?![\\nr])/.test(name.replaceAll("\\\\", ""))) return undefined;
    name = name.replace(/\\[\\nr]/g, (escape) => PLAIN[escape]!);
  }
  return { digest: digest.toLowerCase(), name, hmac: undefined };
}

/** The runtime's name for the algorithm that a tag names: BSD, GNU and OpenSSL differ. */
function algorithmOf(tag: string): string {
  const name = tag.toLowerCase().replace("/", "-");
  if (name === "blake2b" || name === "blake2s")
    return name === "blake2b" ? "blake2b512" : "blake2s256";
  return name.replace(/^sha2-/, "sha").replace(/^blake2([bs])-(512|256)$/, "blake2$1$2");
}
