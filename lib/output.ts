// Lines on standard output, many in one write: one write for each would take longer than hashing a
// small file does.
import { printable } from "./printable.ts";

const BATCH = 64 * 1024; // bytes
let [lines, size]: [Buffer[], number] = [[], 0];

/**
 * Prints a line; call `flush` after the last. The names in it are somebody's text: for a program
 * that reads them they are left as they are, for a person's terminal made safe.
 * @param encoding `latin1` where each character of the line stands for a byte
 */
export async function print(line: string, encoding: BufferEncoding = "utf8"): Promise<void> {
  const bytes = Buffer.from(line + "\n", encoding);
  lines.push(
    process.stdout.isTTY ? Buffer.from(printable(bytes.toString().slice(0, -1)) + "\n") : bytes,
  );
  size += bytes.length;
  if (size >= BATCH || process.stdout.isTTY) await flush();
}

/** Writes what is waiting, and waits until it is written. */
export async function flush(): Promise<void> {
  const bytes = Buffer.concat(lines);
  [lines, size] = [[], 0];
  await new Promise((written) => process.stdout.write(bytes, written));
}
