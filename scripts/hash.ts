/**
 * Hash: the digest of a text or of files.
 *
 * A hash function turns data of any size into a digest of fixed size. The same data always gives
 * the same digest, and nobody can find other data that gives it too: so whoever has the digest can
 * tell whether the data was changed. Nothing is encrypted: there is no key, and no way back.
 *
 *   npx tsx scripts/hash.ts                         the digest of "Hello, world!"
 *   npx tsx scripts/hash.ts --file package.json     what sha256sum prints
 *
 * Mirrors the document's section on hash algorithms. Read on: FIPS 180-4 (the SHA-2 family),
 * https://nodejs.org/api/crypto.html#class-hash, then scripts/server.ts.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { commandLine, reason, usageError, warn } from "../lib/cli.ts";
import { printable } from "../lib/printable.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: hash.ts [options] [TEXT]
       hash.ts --file [options] [PATH...]

Prints the digest of the text (default "Hello, world!"), or of each file.

  -a, --algorithm NAME  any fixed-length digest of this runtime (default sha256)
  -f, --file            hash files; "-" or no path at all: standard input
  -h, --help            print this help

Example: hash.ts --file package.json | sha256sum --check
`;

const { values: options, positionals: args } = commandLine(HELP, {
  algorithm: { type: "string", short: "a", default: "sha256" },
  file: { type: "boolean", short: "f", default: false },
});

const algorithm = options.algorithm.toLowerCase();
checkAlgorithm(algorithm);

// The whole of it: a hash function works on bytes, so text is first encoded, as UTF-8.
if (!options.file) {
  if (args.length > 1) usageError(t`more than one text; quote it: "${args.join(" ")}"`);
  const text = args[0] ?? "Hello, world!";
  console.log(createHash(algorithm).update(text, "utf8").digest("hex"));
} else {
  await hashFiles(args.length > 0 ? args : ["-"]);
}

/** Prints `DIGEST  NAME` for each file, as sha256sum does; a file that can't be read costs a line. */
async function hashFiles(names: string[]): Promise<void> {
  const { checksumLine } = await import("../lib/checksums.ts");
  for (const name of names) {
    try {
      const line = checksumLine(hashFile(name), name);
      // A file name is somebody's text too: raw for a program that reads it, made safe for a person.
      console.log(process.stdout.isTTY ? printable(line) : line);
    } catch (error) {
      warn(t`${name}: ${reason(error)}`);
      process.exitCode = 1;
    }
  }
}

/** A file of any size, in constant memory: one buffer, filled and hashed until nothing is left. */
function hashFile(name: string): string {
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  const hash = createHash(algorithm);
  const file = name === "-" ? 0 : openSync(name, "r");
  try {
    for (let length; (length = readSync(file, buffer)) > 0;)
      hash.update(buffer.subarray(0, length));
    return hash.digest("hex");
  } finally {
    if (file !== 0) closeSync(file);
  }
}

function checkAlgorithm(name: string): void {
  const common = "sha256, sha384, sha512, sha3-256, blake2b512";
  if (accepts(name, { outputLength: 1 }))
    // It would print as few bytes as it is asked for, and so prove as little.
    usageError(t`${name} has no fixed length; use one that has: ${common}`);
  if (!accepts(name)) usageError(t`there is no algorithm "${name}" here; common ones: ${common}`);
}

function accepts(name: string, options?: { outputLength: number } | undefined): boolean {
  try {
    createHash(name, options);
    return true;
  } catch {
    return false;
  }
}
