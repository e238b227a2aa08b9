// The reader's language, and text that is safe to show.

// The first of these that is set and not empty decides (POSIX, XBD 8.2).
const { LC_ALL, LC_MESSAGES, LANG } = process.env;
const locale = LC_ALL || LC_MESSAGES || LANG || "";

// Where the locale is not `ko…`, the Korean sentences are not even loaded.
const { sentences, reasons } = /^ko(?![a-z])/i.test(locale)
  ? await import("./korean.ts")
  : { sentences: {}, reasons: {} };
const korean: Record<string, string> = { ...reasons, ...sentences };

/** A sentence in the reader's language; the English one is the key, and stays where there is no other. */
export function translated(english: string): string {
  return korean[english] ?? english;
}

/**
 * Tag for a sentence, as in gettext: t`Client connected: ${address}` looks up "Client connected: {0}",
 * and puts the values where the translation wants them, made safe for a terminal.
 */
export function t(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  const english = strings.reduce((text, part, i) => `${text}{${i - 1}}${part}`);
  return translated(english).replace(/\{(\d)\}/g, (_, i) => printable(String(values[i])));
}

// Cc: C0 and C1 controls. Zl, Zp: line and paragraph separators. Cs: lone surrogates. The rest are
// the bidirectional controls, which make text read differently from what it is (CVE-2021-42574).
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text that strangers chose (file names, what the network sends) in one line, with every character that
 * could drive a terminal written as `\u001b`: an escape sequence can retitle it, or rewrite what it shows.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (c) => {
    if (c === "\n" || c === "\r") return c === "\n" ? "\\n" : "\\r";
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The same, with its line ends as they are. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join("\n");
}
