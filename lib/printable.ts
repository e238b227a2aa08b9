// Text that strangers chose (file names, what the network sends) must not drive the reader's
// terminal: an escape sequence can recolour it, retitle it, or rewrite lines already printed.

// Cc: C0 and C1 controls. Zl, Zp: line and paragraph separators. Cs: lone surrogates. The rest are
// the bidirectional controls, which make text read differently from what it is (CVE-2021-42574).
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with every character that could drive a terminal written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
