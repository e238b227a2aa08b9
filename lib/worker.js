// A thread of lib/pool.ts, which hashes the files that it is told. Plain JavaScript: under tsx on Node 20, a
// thread can't load TypeScript.
import { createHash, createHmac } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** Bytes at a time: with more, reading is no faster. */
export const BUFFER = 256 * 1024;

/**
 * Hashes a file at once, through one buffer: where nothing else is to be done meanwhile, that is quickest.
 * @param {{ path: string | Uint8Array, algorithm: string, key?: Uint8Array | undefined }} job
 * @param {Uint8Array} buffer
 * @param {Float64Array} count the bytes that were read so far (count[0]), for whoever shows the progress
 * @returns {{ digest: string } | { error: { code: string | undefined, message: string } }}
 */
export function hashAtOnce({ path, algorithm, key }, buffer, count) {
  let file;
  try {
    file = openSync(/** @type {string} */ (path), "r");
    const hash = key ? createHmac(algorithm, key) : createHash(algorithm);
    for (let length; (length = readSync(file, buffer)) > 0;) {
      hash.update(buffer.subarray(0, length));
      count[0] = Number(count[0]) + length;
    }
    return { digest: hash.digest("hex") };
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    return { error: { code, message } };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

if (parentPort) {
  const [port, buffer] = [parentPort, Buffer.allocUnsafe(BUFFER)];
  port.on("message", (job) => port.postMessage(hashAtOnce(job, buffer, workerData)));
}
