// The command line: options and their values, --help, and errors that a person can act on.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { korean, t } from "./words.ts";

const script = basename(process.argv[1] ?? "", ".ts");

// A reader that goes away (… | head -1) ends the script quietly, but not as a success: a check
// that nobody read to its end has not passed. A full disk is worth a line.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(1);
  fail(t`cannot write the output: ${reason(error)}`);
});
process.stderr.on("error", () => {});
// What no code foresaw is one line as well.
process.on("uncaughtException", (error) => fail(reason(error)));

/** Prints a diagnostic line, `hash: …`, to standard error. */
export function warn(message: string): void {
  process.stderr.write(`${script}: ${message}\n`);
}

/** Says in one line what went wrong, and ends the script with status 1. */
export function fail(message: string): never {
  warn(message);
  process.exit(1);
}

/** Says in one line what is wrong with the command line, and ends the script with status 2. */
export function usageError(message: string): never {
  warn(t`${message} (see --help)`);
  process.exit(2);
}

/** What an error means, without its code: "permission denied". */
export function reason(error: unknown): string {
  // OpenSSL's errors carry their reason; the rest of their message is places in its source.
  const { code, message, reason } = error as NodeJS.ErrnoException & { reason?: string };
  const plain = message.replace(/^[A-Z0-9_]+: /, "").replace(/, \w+( '[^]*)?$/, "");
  if (code === "ENOENT") return t`no such file or directory`;
  if (code === "EACCES" || code === "EPERM") return t`permission denied`;
  if (code === "EISDIR") return t`is a directory`;
  if (code === "ENOSPC") return t`no space left on device`;
  return t`${reason ?? plain}`;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Help = { help: { type: "boolean"; short: "h" } };
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T & Help; allowPositionals: true }>
>;

/**
 * Parses the arguments strictly (`util.parseArgs`); prints `help` and ends where --help is given.
 * @returns the options' values and the remaining arguments
 */
export function commandLine<T extends Options>(help: string, options: T): Parsed<T> {
  try {
    const all = { ...options, help: { type: "boolean", short: "h" } } as T & Help;
    const parsed = parseArgs({ options: all, allowPositionals: true });
    if ((parsed.values as { help?: boolean }).help) {
      process.stdout.write(korean?.help[script] ?? help);
      process.exit(0);
    }
    for (const [name, value] of Object.entries(parsed.values))
      if (value === "") usageError(t`--${name} needs a value`);
    return parsed;
  } catch (error) {
    // parseArgs quotes the option in its message, and explains at more length than one line.
    const { code, message } = error as NodeJS.ErrnoException;
    const option = /'(?:-\w, )?(-[^\s']*)/.exec(message)?.[1] ?? message;
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") usageError(t`unknown option ${option}`);
    if (/does not take/.test(message)) usageError(t`${option} takes no value`);
    usageError(t`${option} needs a value`);
  }
}

/** A whole number in a range, or a usage error that names the option and the value. */
export function wholeNumber(option: string, value: string, least: number, most: number): number {
  if (/^\d+$/.test(value) && +value >= least && +value <= most) return +value;
  usageError(t`${option} must be a whole number from ${least} to ${most}, not "${value}"`);
}

/** A time in seconds, greater than 0, as milliseconds that a timer accepts (up to 24 days). */
export function milliseconds(option: string, value: string): number {
  if (/^(\d+\.?\d*|\.\d+)$/.test(value) && +value > 0)
    return Math.min(Math.ceil(+value * 1000), 2 ** 31 - 1);
  usageError(t`${option} must be a number of seconds greater than 0, not "${value}"`);
}

/** The bytes of the file that an option names; ends the script where it can't be read. */
export function readOptionFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    fail(t`cannot read ${option} ${file}: ${reason(error)}`);
  }
}
