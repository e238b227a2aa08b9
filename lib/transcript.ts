// What a client sends, for people to read.
import { StringDecoder } from "node:string_decoder";
import { t } from "./words.ts";

const LIMIT = 1024; // bytes for each client, so that nobody fills a disk by way of the log

/**
 * Makes a function that prints what a client sends, up to a limit. The bytes are decoded as a stream:
 * a character that is cut in two waits for its second half.
 */
export function transcript(): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let left = LIMIT;
  return (chunk) => {
    if (left < 0) return;
    const text = decoder.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left < 0) console.log(t`Received: ${text + "…"}`);
    else if (text) console.log(t`Received: ${text}`);
  };
}
