// Which hash functions there are: what the runtime offers, and what is no longer to be trusted.
import { createHash } from "node:crypto";
import { warn } from "./cli.ts";
import { t } from "./words.ts";

const warned = new Set<string>();

/** The ones to suggest, the default first. */
export const COMMON = "sha256, sha384, sha512, sha3-256, blake2b512";

/**
 * How many hex digits a digest has, by the algorithm's name in any case. 0 for an extendable-output
 * function (FIPS 202, 6.2), which has no length of its own; undefined for what is not there.
 */
export function digits(algorithm: string): number | undefined {
  try {
    // Only an extendable-output function can be told how many bytes to put out.
    createHash(algorithm, { outputLength: 1 });
    return 0;
  } catch {}
  try {
    return createHash(algorithm).digest("hex").length;
  } catch {
    return undefined;
  }
}

/**
 * Says once, on standard error, that the algorithm is broken: different data with the same digest
 * can be made (RFC 6151 for MD5, RFC 6194 for SHA-1).
 */
export function warnIfBroken(algorithm: string): void {
  if (!/md[245]|sha-?1$/i.test(algorithm) || warned.has(algorithm)) return;
  warned.add(algorithm);
  warn(t`${algorithm} no longer proves anything against an attacker; use it for old lists only`);
}
