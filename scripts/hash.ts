/**
 * Hash: the digest of a text or of files, and what digests are for.
 *
 * A hash function turns data of any size into a digest of fixed size. The same data always gives
 * the same digest, and nobody can find other data that gives it too: so whoever has the digest can
 * tell whether the data was changed. Nothing is encrypted: there is no key, and no way back.
 *
 *   npx tsx scripts/hash.ts                            the digest of "Hello, world!"
 *   npx tsx scripts/hash.ts --file scripts/* > list    what sha256sum prints
 *   npx tsx scripts/hash.ts --check list               whether the files are still the same
 *
 * Mirrors the document's section on hash algorithms. Read on: FIPS 180-4 (the SHA-2 family),
 * RFC 2104 (HMAC), https://nodejs.org/api/crypto.html#class-hash, then scripts/server.ts.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { COMMON, digits, warnIfBroken } from "../lib/algorithms.ts";
import { commandLine, fail, readOptionFile, usageError, warn } from "../lib/cli.ts";
import { closeFile, openFile, readChunk } from "../lib/files.ts";
import type { Job, OnRead } from "../lib/parallel.ts";
import { t } from "../lib/words.ts";

const HELP = `Usage: hash.ts [options] [TEXT]
       hash.ts --file [options] [PATH...]
       hash.ts --check [options] [LIST...]

Prints the digest of the text (default "Hello, world!") or of each file, or verifies the files that
checksum lists name. "-" or no path at all is standard input.

  -f, --file            hash files
  -c, --check           verify the files in lists, as sha256sum and openssl dgst write them
  -a, --algorithm NAME  any fixed-length digest of this runtime (default sha256)
  -e, --expect DIGEST   compare with this digest: prints OK or FAILED
      --key-file PATH   HMAC with the key in this file (its exact bytes) instead of a plain digest
      --ignore-missing  with --check: skip files that are not there
  -q, --quiet           with --check: print only failures
  -h, --help            print this help

Example: npx tsx scripts/hash.ts --file package.json > list && npx tsx scripts/hash.ts --check list
`;

const { values: options, positionals: args } = commandLine(HELP, {
  file: { type: "boolean", short: "f", default: false },
  check: { type: "boolean", short: "c", default: false },
  algorithm: { type: "string", short: "a", default: "sha256" },
  expect: { type: "string", short: "e" },
  "key-file": { type: "string" },
  "ignore-missing": { type: "boolean", default: false },
  quiet: { type: "boolean", short: "q", default: false },
});
const algorithm = options.algorithm.toLowerCase();
const expected = options.expect?.toLowerCase();
checkOptions();
const key = options["key-file"] ? readKey(options["key-file"]) : undefined;
const buffer = Buffer.allocUnsafe(256 * 1024);

if (process.env.HASH_CHILD) {
  // One of the children that hash large files side by side: they run this script too.
  (await import("../lib/children.ts")).work(hashFile);
} else if (options.check) {
  await checkFiles(args.length > 0 ? args : ["-"]);
} else if (options.file) {
  await hashFiles(args.length > 0 ? args : ["-"]);
} else {
  hashText(args[0] ?? "Hello, world!");
}

/** The whole of it: a hash function works on bytes, so text is first encoded, as UTF-8. */
function hashText(text: string): void {
  let digest = createHash(algorithm).update(text, "utf8").digest("hex");
  // Anybody can hash. An HMAC takes a key, and so proves that whoever made it has the key as well.
  if (key) digest = createHmac(algorithm, key).update(text, "utf8").digest("hex");
  if (expected) report(digest, expected);
  else console.log(digest);
}

/** The digest of a file of any size, in constant memory: a buffer, filled and hashed to the end. */
function hashFile({ path, algorithm, key }: Job, onRead?: OnRead): string {
  const file = openFile(path);
  try {
    const hash = key ? createHmac(algorithm, key) : createHash(algorithm);
    for (let length; (length = readChunk(file, buffer)) > 0; onRead?.(length))
      hash.update(buffer.subarray(0, length));
    return hash.digest("hex");
  } finally {
    closeFile(file);
  }
}

/** Prints `DIGEST  NAME` for each file, as sha256sum does; a file that can't be read costs a line. */
async function hashFiles(paths: string[]): Promise<void> {
  const { inOrder } = await import("../lib/parallel.ts");
  const { checksumLine } = await import("../lib/checksums.ts");
  const { print, flush } = await import("../lib/output.ts");
  const files = paths.map((path) => ({ path, algorithm, key }));
  for await (const [{ path }, outcome] of inOrder(files, hashFile, import.meta.url)) {
    if ("failure" in outcome) {
      warn(t`${path}: ${outcome.failure}`);
      process.exitCode = 1;
    } else if (expected) report(outcome.digest, expected);
    else await print(checksumLine(outcome.digest, path));
  }
  await flush();
}

/** Verifies the files that lists of such lines name. */
async function checkFiles(lists: string[]): Promise<void> {
  const { inOrder } = await import("../lib/parallel.ts");
  const { checkList } = await import("../lib/check.ts");
  const { flush } = await import("../lib/output.ts");
  const { quiet, "ignore-missing": ignoreMissing } = options;
  for (const list of lists) {
    const good = await checkList(list, {
      ...{ algorithm, key, quiet, ignoreMissing, matches },
      digests: (files) => inOrder(files, hashFile, import.meta.url),
    });
    if (!good) process.exitCode = 1;
  }
  await flush();
}

/** Prints whether the digest is the expected one. */
function report(digest: string, expected: string): void {
  const good = matches(digest, expected);
  console.log(good ? "OK" : "FAILED");
  if (!good) process.exitCode = 1;
}

/**
 * Compares in constant time: how long an ordinary comparison takes tells how many of the first
 * digits are right, and so lets an attacker who can try many find a valid HMAC digit by digit.
 */
function matches(digest: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(digest), Buffer.from(expected));
}

function checkOptions(): void {
  const length = digits(algorithm);
  if (length === undefined)
    usageError(t`there is no algorithm "${algorithm}" here; common ones: ${COMMON}`);
  // It would put out as many bytes as it is asked for, down to one, and so prove as little.
  if (length === 0) usageError(t`${algorithm} has no fixed length; use one that has: ${COMMON}`);
  if (options.file && options.check) usageError(t`--file and --check exclude each other`);
  if (!options.check && (options.quiet || options["ignore-missing"]))
    usageError(t`--quiet and --ignore-missing are for --check`);
  if (!options.file && !options.check && args.length > 1)
    usageError(t`more than one text; quote it: "${args.join(" ")}"`);
  if (!options.check && !options["key-file"]) warnIfBroken(algorithm);
  if (expected === undefined) return;
  if (options.check) usageError(t`--expect and --check exclude each other`);
  if (args.length > 1) usageError(t`--expect takes one file`);
  if (!/^[0-9a-f]*$/.test(expected) || expected.length !== length)
    usageError(t`--expect must be ${length} hex digits, as ${algorithm} has, not "${expected}"`);
}

function readKey(file: string): Buffer {
  const key = readOptionFile("--key-file", file);
  if (key.length === 0) fail(t`--key-file ${file} is empty`);
  return key;
}
