// The sentences that the scripts print, in the reader's language, as gettext does it: the English
// stands where it is used, and is the key under which a translation is looked up.
import { printable } from "./printable.ts";

// The first of these that is set and not empty decides (POSIX, XBD 8.2).
const { LC_ALL, LC_MESSAGES, LANG } = process.env;
const locale = LC_ALL || LC_MESSAGES || LANG || "";

/** The Korean table, or undefined where the locale is not `ko…`: then it is not even loaded. */
export const korean = /^ko(?![a-z])/i.test(locale) ? await import("./korean.ts") : undefined;

/**
 * Tag for a sentence: t`Client connected: ${address}` looks up "Client connected: {0}", and puts
 * the values where the translation wants them, made safe for a terminal.
 */
export function t(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  const english = strings.reduce((text, part, i) => `${text}{${i - 1}}${part}`);
  const sentence = korean?.sentences[english] ?? english;
  return sentence.replace(/\{(\d)\}/g, (_, i) => printable(String(values[i])));
}
