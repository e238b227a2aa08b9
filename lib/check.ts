// hash.ts --check: the files that checksum lists name, each compared with its digest there.
import { createReadStream } from "node:fs";
import { digits, warnIfBroken } from "./algorithms.ts";
import { isUnfinished, parseLine, resultLine, type Entry } from "./checksums.ts";
import { reason, warn } from "./cli.ts";
import { flush, print } from "./output.ts";
import type { Job, Outcome } from "./parallel.ts";
import { t } from "./words.ts";

const LONGEST = 64 * 1024; // bytes of a line that are kept: a name has at most 4096 (PATH_MAX)

type Check = {
  algorithm: string; // for lines that name none
  key: Buffer | undefined; // for HMACs
  quiet: boolean;
  ignoreMissing: boolean;
  digests: (jobs: AsyncIterable<Job & Entry>) => AsyncIterable<[Job & Entry, Outcome]>;
  matches: (digest: string, expected: string) => boolean;
};

/**
 * Verifies what the list names ("-": standard input), and prints as `sha256sum --check` does.
 * @returns whether everything in it is as it should be
 */
export async function checkList(list: string, check: Check): Promise<boolean> {
  const label = list === "-" ? t`standard input` : list;
  let [proper, malformed, verified, mismatched, unreadable] = [0, 0, 0, 0, 0];
  const lengths = new Map<string, number | undefined>();

  /** The list's proper lines, as files to hash. */
  async function* jobs(): AsyncGenerator<Job & Entry> {
    for await (const entry of entries(list)) {
      const algorithm = entry?.algorithm ?? check.algorithm;
      if (!lengths.has(algorithm)) lengths.set(algorithm, digits(algorithm));
      // A line about another kind of digest is no line for this check.
      const fits = entry?.hmac === undefined || entry.hmac === !!check.key;
      if (entry && fits && lengths.get(algorithm) === entry.digest.length) {
        proper++;
        if (!check.key) warnIfBroken(algorithm);
        const path = entry.name === "-" ? "-" : Buffer.from(entry.name, "latin1");
        yield { ...entry, path, algorithm, key: check.key };
      } else malformed++;
    }
  }

  try {
    for await (const [{ name, digest }, outcome] of check.digests(jobs())) {
      let result = "OK";
      if ("failure" in outcome) {
        if (outcome.missing && check.ignoreMissing) continue;
        unreadable++;
        warn(t`${Buffer.from(name, "latin1").toString()}: ${outcome.failure}`);
        result = "FAILED open or read";
      } else {
        verified++;
        if (!check.matches(outcome.digest, digest)) {
          mismatched++;
          result = "FAILED";
        }
      }
      if (result !== "OK" || !check.quiet) await print(resultLine(name, result), "latin1");
    }
  } catch (error) {
    warn(t`${label}: ${reason(error)}`);
    return false;
  }
  await flush(); // the verdicts first, and what they come to after them
  if (mismatched) warn(t`${label}: files that do not match: ${mismatched}`);
  if (unreadable) warn(t`${label}: files that could not be read: ${unreadable}`);
  if (malformed && proper) warn(t`${label}: lines that are not checksums: ${malformed}`);
  if (!proper) warn(t`${label}: no line is a ${check.algorithm} checksum; see --algorithm`);
  else if (!verified && !unreadable) warn(t`${label}: none of its files is there`);
  return mismatched + unreadable === 0 && verified > 0;
}

/** The entries of a list; undefined for a line that is none. */
async function* entries(list: string): AsyncGenerator<Entry | undefined> {
  let begun: string | undefined; // lines that may go on in the next
  for await (let line of lines(list)) {
    let entry = parseLine(line);
    if (begun !== undefined) {
      if (entry) yield undefined;
      else entry = parseLine((line = `${begun}\n${line}`));
    }
    begun = !entry && isUnfinished(line) ? line : undefined;
    if (entry) yield entry;
    else if (begun === undefined && !/^(#|$)/.test(line)) yield undefined;
  }
  if (begun !== undefined) yield undefined;
}

/** The lines of a list as latin1; of one that is too long, so little that it can't be proper. */
async function* lines(list: string): AsyncGenerator<string> {
  const stream = list === "-" ? process.stdin : createReadStream(list);
  let rest = "";
  let first = true;
  for await (const chunk of stream.setEncoding("latin1")) {
    const lines = (rest + chunk).split("\n");
    if (first) lines[0] = lines[0]!.replace(/^\u00ef\u00bb\u00bf/, ""); // Windows' mark of UTF-8
    first = false;
    rest = lines.pop()!;
    if (rest.length > LONGEST) rest = "\0";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest) yield rest.replace(/\r$/, "");
}
