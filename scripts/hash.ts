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
 * The first section of the post that README.md names, on hash algorithms. Read on: FIPS 180-4 (the
 * SHA-2 family), RFC 2104 (HMAC), https://nodejs.org/api/crypto.html#class-hash, then scripts/server.ts.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import * as checksums from "../lib/checksums.ts";
import * as cli from "../lib/cli.ts";
import { flag, print, text, usageError, warn } from "../lib/cli.ts";
import { hashInOrder, type Digest, type Outcome, type Path } from "../lib/pool.ts";
import { t } from "../lib/words.ts";

const { options, args } = await cli.commandLine(
  {
    usage: ["[TEXT]", "--file [PATH...]", "--check [LIST...]"],
    about: t`Prints the digest of a text (default "Hello, world!") or of files, or verifies the files that
checksum lists name. "-", or no path at all, is standard input.`,
    example: "npx tsx scripts/hash.ts --file package.json | npx tsx scripts/hash.ts --check",
  },
  {
    file: flag("f", t`hash files`),
    check: flag("c", t`verify the files in lists, as sha256sum and openssl dgst write them`),
    algorithm: text("a", "NAME", t`any fixed-length digest of this runtime (default sha256)`),
    expect: text("e", "DIGEST", t`compare with this digest: prints OK or FAILED`),
    "key-file": text("", "PATH", t`HMAC with the key in this file (its exact bytes)`),
    "ignore-missing": flag("", t`with --check: skip files that are not there`),
    strict: flag("", t`with --check: a malformed line fails as well`),
    quiet: flag("q", t`with --check: print only failures`),
  },
);
const { algorithm, expected, key } = checkOptions();

/** Begins a digest, which anybody can make; with a key an HMAC, which nobody can make without it. */
function begin(algorithm: string, key?: Buffer): Digest {
  return key ? createHmac(algorithm, key) : createHash(algorithm);
}

/** A hash function works on bytes, so a text is first encoded, as UTF-8. */
function hashText(text: string): string {
  return begin(algorithm, key).update(text, "utf8").digest("hex");
}

/**
 * A file of any size is hashed in constant memory: one buffer, filled and hashed until the file ends.
 * Threads hash large files so, side by side, and count their bytes (count[0]) for one progress line. They
 * get the text of this function and of `begin`: both use node:crypto and node:fs, and nothing else here.
 */
function hashFile(path: Path, hash: Digest, buffer: Buffer, count: Float64Array): string {
  const file = openSync(path, "r");
  try {
    let length: number;
    do {
      length = readSync(file, buffer);
      hash.update(buffer.subarray(0, length));
      count[0]! += length;
    } while (length > 0);
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}

/** What arrives at its own pace, as standard input does, is hashed as it comes. */
async function hashStream(stream: Readable, hash: Digest, count: Float64Array) {
  for await (const chunk of stream) {
    hash.update(chunk);
    count[0]! += chunk.length;
  }
  return hash.digest("hex");
}

/**
 * Compares in constant time: how long an ordinary comparison takes tells how many of the first
 * digits are right, and so lets an attacker who can try many find a valid HMAC digit by digit.
 */
function matches(digest: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(digest), Buffer.from(expected));
}

const paths = args.length > 0 ? args : ["-"];
if (options.check) for (const list of paths) await checkList(list);
else if (options.file || args[0] === "-") await hashFiles(paths);
else report(hashText(args[0] ?? "Hello, world!"));

/** Prints a digest, or whether it is the expected one. */
function report(digest: string, line = digest): void {
  if (!expected) return print(line);
  const good = matches(digest, expected);
  print(good ? "OK" : "FAILED");
  if (!good) process.exitCode = 1;
}

/** Prints `DIGEST  NAME` for each file, as sha256sum does, or an error for one that can't be read. */
async function hashFiles(paths: string[]): Promise<void> {
  const jobs = paths.map((path) => ({ path, algorithm, key }));
  await hashInOrder([jobs], { begin, hashFile, hashStream }, ({ path }, outcome) => {
    if ("digest" in outcome) {
      const { digest } = outcome;
      report(digest, options.file ? checksums.checksumLine(digest, path) : digest);
    } else {
      warn(t`${path}: ${cli.reason(outcome.error)}`);
      process.exitCode = 1;
    }
  });
}

/** Verifies the files that a list of such lines names, and says how many failed. */
async function checkList(list: string): Promise<void> {
  const label = list === "-" ? t`standard input` : list;
  // An algorithm that was asked for binds: a list can't talk us into a weaker one.
  const kind = { algorithm, binds: options.algorithm !== "", key };
  const tally = { proper: 0, malformed: 0, complaint: t`it has no checksum in it` };
  const files = { OK: 0, FAILED: 0, "FAILED open or read": 0 };
  try {
    const entries = checksums.readList(list, kind, tally);
    await hashInOrder(entries, { begin, hashFile, hashStream }, (entry, outcome) => {
      const result = verdict(outcome, entry.digest);
      if (result === "missing") return;
      files[result]++;
      if ("error" in outcome) warn(t`${String(entry.path)}: ${cli.reason(outcome.error)}`);
      if (result !== "OK" || !options.quiet)
        print(checksums.resultLine(entry.name, result), "latin1");
    });
  } catch (error) {
    warn(t`${label}: ${cli.reason(error)}`);
    process.exitCode = 1;
    return;
  }
  const { proper, malformed, complaint } = tally;
  const { OK: good, FAILED: mismatched, "FAILED open or read": unreadable } = files;
  if (mismatched) warn(t`${label}: files that do not match: ${mismatched}`);
  if (unreadable) warn(t`${label}: files that could not be read: ${unreadable}`);
  if (malformed && proper) warn(t`${label}: lines that are not checksums: ${malformed}`);
  if (!proper) warn(t`${label}: ${complaint}`);
  else if (!good && !unreadable && !mismatched) warn(t`${label}: none of its files is there`);
  const bad = mismatched + unreadable + (options.strict ? malformed : 0);
  if (bad > 0 || good === 0) process.exitCode = 1;
}

/** What became of a file that a list names. */
function verdict(outcome: Outcome, expected: string) {
  if ("digest" in outcome) return matches(outcome.digest, expected) ? "OK" : "FAILED";
  const skipped = options["ignore-missing"] && outcome.error.code === "ENOENT";
  return skipped ? "missing" : "FAILED open or read";
}

/** What the options ask for; ends the script where they make no sense together. */
function checkOptions() {
  const { file, check, expect, quiet, strict, "ignore-missing": ignoreMissing } = options;
  const asked = options.algorithm || "sha256";
  const { algorithm, digits } = checksums.algorithmNamed(asked);
  if (digits === undefined)
    usageError(t`there is no algorithm "${asked}" here; common ones: ${checksums.COMMON}`);
  // SHAKE and its like put out as many bytes as they are asked for: one byte would prove little.
  if (digits === 0)
    usageError(t`${asked} has no fixed length; use one that has: ${checksums.COMMON}`);
  if (file && check) usageError(t`--file and --check exclude each other`);
  if (!check && (quiet || strict || ignoreMissing))
    usageError(t`--quiet, --strict and --ignore-missing are for --check`);
  if (!file && !check && args.length > 1)
    usageError(t`more than one text; quote it: "${args.join(" ")}"`);
  const [text] = args;
  if (text && text !== "-" && !file && !check) {
    const wrong = cli.garbled(text);
    if (wrong) cli.fail(t`${text}: ${wrong}`);
    if (existsSync(text)) warn(t`there is a file ${text} as well; for its digest, use --file`);
  }
  if (expect && check) usageError(t`--expect and --check exclude each other`);
  if (expect && args.length > 1) usageError(t`--expect takes one file`);

  const { prefix, digest: expected } = checksums.pastedDigest(expect);
  if (prefix && checksums.algorithmNamed(prefix).algorithm !== algorithm)
    usageError(t`--expect is for ${prefix}, not for ${algorithm}; see --algorithm`);
  if (expect && expected?.length !== digits)
    usageError(t`--expect must be ${digits} hex digits, as ${algorithm} has, not "${expect}"`);

  const keyFile = options["key-file"];
  const key = keyFile ? cli.readOptionFile("--key-file", keyFile) : undefined;
  if (key?.length === 0) cli.fail(t`--key-file ${keyFile} is empty`);
  if (!check && !key) checksums.warnIfBroken(algorithm);
  return { algorithm, expected, key };
}
