// Files read the way that hashing wants them: synchronously, into one buffer, which beats the
// runtime's file stream by a third; and any file, pipes and devices included.
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { t } from "./words.ts";

const STDIN = 0;
const clock = new Int32Array(new SharedArrayBuffer(4));

/** Opens a file to read; "-" is standard input. Throws what open(2) says. */
export function openFile(path: string | Buffer): number {
  if (path === "-") return STDIN;
  // The runtime reads arguments as UTF-8. What is no UTF-8 has become U+FFFD, and may well be the
  // name of another file now.
  if (typeof path === "string" && path.includes("\ufffd"))
    throw new Error(
      t`its name is not UTF-8, and was lost on the way here; use: hash.ts --file < NAME`,
    );
  return openSync(path, "r");
}

/** Fills the buffer, waiting for data where it has to; returns how many bytes came, 0 at the end. */
export function readChunk(file: number, buffer: Buffer): number {
  for (;;)
    try {
      return readSync(file, buffer);
    } catch (error) {
      // Standard input may have been left non-blocking by whoever started this script.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(clock, 0, 0, 10); // milliseconds
    }
}

/**
 * Standard input as a stream; of a file in larger pieces than the runtime's own 64 KiB, which takes a
 * fifth less time. Others stay with the runtime, which waits for them without holding up the end.
 */
export function standardInput(): Readable {
  if (!fstatSync(STDIN).isFile()) return process.stdin;
  return createReadStream("", { fd: STDIN, highWaterMark: 256 * 1024 });
}

/** Closes what `openFile` opened. */
export function closeFile(file: number): void {
  if (file !== STDIN) closeSync(file);
}
