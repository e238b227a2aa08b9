/**
 * Hash: the digest of a text or of files, and what digests are for.
 *
 * A hash function turns data of any size into a digest of fixed size. The same data always gives the
 * same digest, and with a sound function nobody can find other data that gives it too, so whoever has
 * the digest can tell whether the data was changed. Nothing is encrypted: there is no way back.
 *
 *   npx tsx scripts/hash.ts                            the digest of "Hello, world!"
 *   npx tsx scripts/hash.ts --file scripts/* > list    what sha256sum prints
 *   npx tsx scripts/hash.ts --check list               whether the files are still the same
 *
 * The first section of the post that README.md names, on hash algorithms. Read on: FIPS 180-4 (the
 * SHA-2 family), RFC 2104 (HMAC), https://nodejs.org/api/crypto.html#class-hash, then scripts/server.ts.
 */
import { createHash, createHmac, timingSafeEqual, type Hash, type Hmac } from "node:crypto";
import { statSync } from "node:fs";
import * as checksums from "../lib/checksums.ts";
import * as cli from "../lib/cli.ts";
import { hashInOrder, type Outcome } from "../lib/pool.ts";
import { t } from "../lib/words.ts";

type Method = { algorithm: string; key?: Buffer | undefined };

/** Starts a digest, which anybody can make; or, with a key, an HMAC, which only its holders can. */
function startHash({ algorithm, key }: Method): Hash | Hmac {
  return key ? createHmac(algorithm, key) : createHash(algorithm);
}

/** A hash function works on bytes, so a text is encoded first, as UTF-8. */
function hashText(text: string, method: Method): string {
  return startHash(method).update(text, "utf8").digest("hex");
}

/**
 * A file is hashed piece by piece, as a stream brings it, so that any size takes the same little memory.
 * (For files on a disk, lib/worker.js does the same, on all cores.)
 */
async function hashFile(pieces: AsyncIterable<Buffer>, method: Method): Promise<string> {
  const hash = startHash(method);
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/**
 * Compares digests in constant time: an ordinary comparison stops at the first wrong digit, and the time
 * that it took lets an attacker find a valid HMAC digit by digit.
 */
function equalDigests(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

// That is all there is to hashing. What follows makes a tool of it: many files, and lists of them.

/** Prints a digest, or whether it is the expected one. */
function report(digest: string, line: string, expected: string | undefined): void {
  if (!expected) return cli.print(line);
  const same = equalDigests(digest, expected);
  cli.print(same ? "OK" : "FAILED");
  if (!same) process.exitCode = 1;
}

/** Reports the digest of each file ("-": standard input); one that can't be read is an error line. */
async function hashFiles(
  paths: string[],
  method: Method,
  done: (digest: string, path: string) => void,
): Promise<void> {
  const jobs = paths.map((path) => ({ path, ...method }));
  await hashInOrder([jobs], hashFile, ({ path }, outcome) => {
    if ("digest" in outcome) return done(outcome.digest, path);
    cli.warn(t`${path}: ${cli.reason(outcome.error)}`);
    process.exitCode = 1;
  });
}

type Strictness = { quiet: boolean; strict: boolean; ignoreMissing: boolean };

/** Verifies the files that a list names; reports each, and how many failed. */
async function checkList(list: string, kind: checksums.Kind, how: Strictness): Promise<void> {
  const title = list === "-" ? t`standard input` : list;
  const { entries, found } = checksums.readList(list, kind);
  const count = { OK: 0, FAILED: 0, "FAILED open or read": 0, missing: 0 };
  try {
    await hashInOrder(entries, hashFile, (entry, outcome) => {
      const result = verdict(outcome, entry.digest, how.ignoreMissing);
      count[result]++;
      if (result === "missing") return;
      if ("error" in outcome) cli.warn(t`${String(entry.path)}: ${cli.reason(outcome.error)}`);
      if (result !== "OK" || !how.quiet)
        cli.print(checksums.resultLine(entry.name, result), "latin1");
    });
  } catch (error) {
    cli.warn(t`${title}: ${cli.reason(error)}`);
    process.exitCode = 1;
    return;
  }
  const { proper, malformed, complaint } = found;
  const { OK, FAILED: mismatched, "FAILED open or read": unreadable } = count;
  if (mismatched) cli.warn(t`${title}: files that do not match: ${mismatched}`);
  if (unreadable) cli.warn(t`${title}: files that could not be read: ${unreadable}`);
  if (malformed && proper) cli.warn(t`${title}: lines that are not checksums: ${malformed}`);
  if (!proper) cli.warn(t`${title}: ${complaint}`);
  else if (count.missing === proper) cli.warn(t`${title}: none of its files is there`);
  // A success: at least one file was there and is the same, and nothing failed.
  if (!OK || mismatched || unreadable || (malformed && how.strict)) process.exitCode = 1;
}

/** What became of a file that a list names. */
function verdict(outcome: Outcome, expected: string, ignoreMissing: boolean) {
  if ("digest" in outcome) return equalDigests(outcome.digest, expected) ? "OK" : "FAILED";
  return ignoreMissing && outcome.error.code === "ENOENT" ? "missing" : "FAILED open or read";
}

/** Whether a text is also the name of a file here: its digest could be taken for the file's. */
function isFile(text: string): boolean {
  try {
    return statSync(text).isFile();
  } catch {
    return false;
  }
}

async function main(): Promise<void> {
  const { options, given, args } = await cli.commandLine(
    {
      usage: ["[TEXT]", "--file [PATH...]", "--check [LIST...]"],
      about: t`Prints the digest of a text (default "Hello, world!") or of files, or verifies
the files that checksum lists name. "-", or no PATH or LIST, is standard input.`,
      example: "npx tsx scripts/hash.ts -f package.json | npx tsx scripts/hash.ts -c",
    },
    {
      file: cli.flag("f", t`hash files`),
      check: cli.flag("c", t`verify files by lists of sha256sum's or openssl's form`),
      algorithm: cli.text("a", "NAME", t`any fixed-length digest of this runtime`, "sha256"),
      expect: cli.text("e", "DIGEST", t`compare with this digest: prints OK or FAILED`),
      "key-file": cli.text("", "PATH", t`HMAC with the key in this file (its exact bytes)`),
      "ignore-missing": cli.flag("", t`with --check: skip files that are not there`),
      strict: cli.flag("", t`with --check: a malformed line fails as well`),
      quiet: cli.flag("q", t`with --check: print only failures`),
    },
  );
  const { file, check, expect, quiet, strict, "ignore-missing": ignoreMissing } = options;
  const { algorithm, digits } = checksums.algorithmNamed(options.algorithm);
  if (digits === undefined)
    cli.usageError(
      t`there is no algorithm "${options.algorithm}" here; common ones: ${checksums.COMMON}`,
    );
  // SHAKE and its like put out as many bytes as they are asked for: one byte would prove little.
  if (digits === 0)
    cli.usageError(
      t`${options.algorithm} has no fixed length; use one that has: ${checksums.COMMON}`,
    );
  if (file && check) cli.usageError(t`--file and --check exclude each other`);
  if (!check && (quiet || strict || ignoreMissing))
    cli.usageError(t`--quiet, --strict and --ignore-missing are for --check`);
  if (!file && !check && args.length > 1)
    cli.usageError(t`more than one text; quote it: "${args.join(" ")}"`);
  if (expect && check) cli.usageError(t`--expect and --check exclude each other`);
  if (expect && args.length > 1) cli.usageError(t`--expect takes one file`);

  const { prefix, digest: expected } = checksums.pastedDigest(expect);
  if (prefix && checksums.algorithmNamed(prefix).algorithm !== algorithm)
    cli.usageError(t`--expect is for ${prefix}, not for ${algorithm}; see --algorithm`);
  if (expect && expected?.length !== digits)
    cli.usageError(t`--expect must be ${digits} hex digits, as ${algorithm} has, not "${expect}"`);

  const keyFile = options["key-file"];
  const key = keyFile ? cli.readOptionFile("--key-file", keyFile) : undefined;
  if (key?.length === 0) cli.fail(t`--key-file ${keyFile} is empty`);
  if (!check && !key) checksums.warnIfBroken(algorithm);
  const method = { algorithm, key };

  const paths = args.length > 0 ? args : ["-"];
  if (check) {
    // An algorithm that was asked for binds: a list can't talk us into a weaker one.
    const kind = { ...method, binds: given.has("algorithm") };
    for (const list of paths) await checkList(list, kind, { quiet, strict, ignoreMissing });
  } else if (file || args[0] === "-") {
    await hashFiles(paths, method, (digest, path) =>
      report(digest, file ? checksums.checksumLine(digest, path) : digest, expected),
    );
  } else {
    const [text = "Hello, world!"] = args;
    const wrong = cli.garbled(text);
    if (wrong) cli.fail(t`${text}: ${wrong}`);
    if (isFile(text)) cli.warn(t`there is a file ${text} as well; for its digest, use --file`);
    const digest = hashText(text, method);
    report(digest, digest, expected);
  }
}

await main();
