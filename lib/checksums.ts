// The checksum-list format of GNU coreutils: one line for each file, its digest and its name.
// https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html

const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

/**
 * A line as `sha256sum` prints it: `DIGEST  NAME`. A name with a backslash or a line end in it is
 * escaped, and a backslash before the digest says so.
 */
export function checksumLine(digest: string, name: string): string {
  const escaped = name.replace(/[\\\n\r]/g, (c) => ESCAPES[c]!);
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}`;
}
