// The command line: options that are declared once, errors of one line, and lines of output.
import {
  constants,
  createReadStream,
  fstatSync,
  openSync,
  read,
  readFileSync,
  statSync,
} from "node:fs";
import { Socket } from "node:net";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { getSystemErrorMap, parseArgs, type ParseArgsConfig } from "node:util";
import { printable, printableLines, t, translated } from "./words.ts";

const { O_NONBLOCK, O_RDONLY } = constants;
const script = basename(process.argv[1] ?? "", ".ts");

/** An option: what `--help` says of it, and how its value is read. */
type Option<T> = {
  letter: string; // the short form; "": none
  value: string; // what its value is called; "": it is a flag, and has none
  sentence: string;
  preset: string; // the value where none is given, as it would be typed; "": none
  read: (given: string, option: string) => T; // ends the script where the value is wrong
};

/** An option that is there or not. */
export function flag(letter: string, sentence: string): Option<boolean> {
  return { letter, value: "", sentence, preset: "", read: Boolean };
}

/** An option that takes a text; "" where it isn't given. */
export function text(letter: string, value: string, sentence: string, preset = ""): Option<string> {
  return { letter, value, sentence, preset, read: String };
}

/** An option that takes a whole number in a range. */
export function whole(value: string, sentence: string, preset: number, range: [number, number]) {
  const [least, most] = range;
  const read = (given: string, option: string) => {
    if (/^\d+$/.test(given) && +given >= least && +given <= most) return +given;
    usageError(t`${option} must be a whole number from ${least} to ${most}, not "${given}"`);
  };
  return { letter: "", value, sentence, preset: String(preset), read } satisfies Option<number>;
}

/** An option that takes seconds; its value is in milliseconds, as timers take them (up to 24 days). */
export function seconds(sentence: string, preset: number) {
  const read = (given: string, option: string) => {
    const time = /^(\d+(\.\d*)?|\.\d+)$/.test(given) ? Math.ceil(+given * 1000) : 0;
    if (time > 0) return Math.min(time, 2 ** 31 - 1);
    usageError(t`${option} must be a number of seconds greater than 0, not "${given}"`);
  };
  const [letter, value] = ["", "SECONDS"];
  return { letter, value, sentence, preset: String(preset), read } satisfies Option<number>;
}

type Table = Record<string, Option<unknown>>;
type Values<T extends Table> = { [Name in keyof T]: ReturnType<T[Name]["read"]> };
type Manual = { usage: string[]; about: string; example: string };

/**
 * Parses the arguments by a table of options. Prints the manual and ends with 0 where --help is given;
 * says what is wrong and ends with 2 where something is.
 * @returns the options' values, the names of those that were given, and the remaining arguments
 */
export async function commandLine<T extends Table>(manual: Manual, table: T) {
  const all: Table = { ...table, help: flag("h", t`print this help`) };
  const { given, args } = parse(all);
  if (given.has("help")) {
    print(help(manual, all));
    await flush();
    process.exit();
  }
  const read = Object.entries(table).map(([name, { read, preset }]) => {
    const [option, value] = [`--${name}`, given.get(name) ?? preset];
    const wrong = garbled(value);
    if (wrong) fail(`${option}: ${wrong}`);
    return [name, read(value, option)];
  });
  return { options: Object.fromEntries(read) as Values<T>, given: new Set(given.keys()), args };
}

/** What was given: for a flag its name. What is wrong is read from parseArgs' tokens, to say it in our words. */
function parse(table: Table): { given: Map<string, string>; args: string[] } {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, { letter, value }] of Object.entries(table)) {
    const kind = { type: value ? "string" : "boolean" } as const;
    options[name] = letter ? { ...kind, short: letter } : kind;
  }
  const lenient = { options, allowPositionals: true, strict: false, tokens: true } as const;
  const { tokens, positionals: args } = parseArgs(lenient);
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    if (!Object.hasOwn(table, name)) usageError(t`unknown option ${rawName}`);
    const [option, { value: kind }] = [`--${name}`, table[name]!];
    if (!kind && value !== undefined) usageError(t`${option} takes no value`);
    // In `--port --plain` the value was forgotten; `--port=-x` means what it says.
    if (kind && (!value || (!inlineValue && /^-./.test(value))))
      usageError(t`${option} needs a value`);
    given.set(name, value ?? name);
  }
  return { given, args };
}

function help({ usage, about, example }: Manual, table: Table): string {
  const options = t`[options]`;
  const forms = usage.map((form) => `${script}.ts ${options} ${form}`.trimEnd());
  const rows = Object.entries(table).map(([name, { letter, value, sentence, preset }]) => [
    `  ${letter ? `-${letter},` : "   "} --${name} ${value}`.trimEnd(),
    preset ? t`${sentence} (default ${preset})` : sentence,
  ]);
  const width = Math.max(...rows.map(([option]) => option!.length));
  const lines = rows.map(([option, sentence]) => `${option!.padEnd(width)}  ${sentence}`);
  const first = `${t`Usage:`} ${forms.join("\n       ")}`;
  return [first, "", about, "", ...lines, "", t`Example: ${example}`].join("\n");
}

/** Prints a diagnostic line, `hash: …`, to standard error. */
export function warn(message: string): void {
  complain(`${script}: ${message}`);
}

/** Prints a line to standard error, behind the lines of output that came before it. */
export function complain(line: string): void {
  void flush(); // which erases what is drawn, too
  process.stderr.write(line + "\n");
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
  const { code, errno, message, reason } = error as NodeJS.ErrnoException & { reason?: string };
  if (code === "EPERM") return t`permission denied`;
  if (code === "EISDIR") return t`is a directory`;
  if (code === "ENOTCONN") return t`it is not open for reading`; // of a pipe, the end to write to
  if (code === "ECONNRESET" || code === "EPIPE") return t`it closed the connection abruptly`;
  // The system's errors have the same words on all runtimes. OpenSSL's carry their reason; the rest of their
  // message is places in its source.
  const number = errno ?? -(/\(os error (\d+)\)$/.exec(message)?.[1] ?? 0); // so Deno has it
  const [, words] = getSystemErrorMap().get(number) ?? [];
  const plain = message.replace(/^[A-Z0-9_]+: /, "").replace(/, \w+( '[^]*)?$/, "");
  const said = words ?? reason ?? plain;
  const alert = said.replace(/^\S+ (?=alert )/, ""); // "sslv3 alert …" became "ssl/tls alert …"
  return printable(translated(alert) === alert ? said : translated(alert));
}

/**
 * Why an argument can't be used, if it can't: the runtime reads arguments as UTF-8, and what is none
 * becomes U+FFFD, so that it may well be another text, or the name of another file, now.
 */
export function garbled(argument: string): string | undefined {
  if (!argument.includes("\ufffd")) return undefined;
  return t`this has U+FFFD in it, as has all that was not UTF-8 on its way here. Use standard input instead: - < NAME`;
}

const PIPE_BUF = 4096; // bytes that a pipe keeps together, whoever else writes to it (pipe(7))
const lines: Buffer[] = []; // that wait to be written
let busy: Promise<void> | undefined; // while the reader is slow
let written: Promise<void> = Promise.resolve(); // the last of them
let drawn = false; // whether the terminal shows a line that is none of the output

// A reader that goes away (… | head -1) ends the script quietly, but not as a success: a check
// that nobody read to its end has not passed. A full disk is worth a line.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  lines.length = 0;
  if (error.code === "EPIPE") process.exit(1);
  fail(t`cannot write the output: ${reason(error)}`);
});
process.stderr.on("error", () => {});
// What no code foresaw is one line as well.
process.on("uncaughtException", (error) => fail(reason(error)));

/**
 * Prints a line; those of one turn of the event loop go out together. The names in it are somebody's text: for
 * a program that reads them they are left as they are, for a person's terminal made safe.
 * @param encoding `latin1` where each character of the line stands for a byte
 */
export function print(line: string, encoding: BufferEncoding = "utf8"): void {
  const bytes = Buffer.from(line + "\n", encoding);
  const shown = process.stdout.isTTY ? Buffer.from(printableLines(bytes.toString())) : bytes;
  if (lines.push(shown) === 1) setImmediate(flush);
}

/** Writes to standard output; done once it is out (with Bun, nothing else tells). Then the script may end. */
export function write(piece: string | Uint8Array): Promise<void> {
  // Where that fails, the listener above has the last word.
  return (written = new Promise((done) => process.stdout.write(piece, (error) => error ?? done())));
}

/**
 * Writes the lines that wait, and waits until all is written. Whole lines, as many as a pipe keeps together:
 * several processes may write to one (xargs -P). The next follow when these are gone, for what waits in a
 * stream goes out in one piece.
 */
export async function flush(): Promise<void> {
  if (drawn) process.stderr.write("\r\u001b[K"); // EL: erases the line
  drawn = false;
  for (;;) {
    while (busy) await busy;
    if (lines.length === 0 && process.stdout.writableLength === 0) return written;
    let [count, size] = [0, 0];
    while (count < lines.length && (count === 0 || size + lines[count]!.length <= PIPE_BUF))
      size += lines[count++]!.length;
    const out = write(Buffer.concat(lines.splice(0, count), size));
    // (Bun doesn't tell what waits.)
    if (process.versions.bun || process.stdout.writableLength > 0)
      busy = out.then(() => (busy = undefined));
  }
}

/** Draws a line on the terminal of standard error, which the next line erases. */
export function draw(line: string): void {
  if (lines.length > 0) void flush();
  process.stderr.write(`\r${line}\u001b[K`);
  drawn = true;
}

/** The bytes of the file that an option names; ends the script where it can't be read. */
export function readOptionFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    fail(t`cannot read ${option} ${file}: ${reason(error)}`);
  }
}

/**
 * A file, or standard input ("-"), as a stream. A file there comes in larger pieces than the runtime's
 * own 64 KiB, which takes a fifth less time; a pipe, a socket or a terminal may keep us waiting, and is
 * left to process.stdin, which doesn't keep the script from ending.
 */
export function openInput(path: string | Buffer): Readable {
  if (path !== "-") return openNamedPipe(path) ?? createReadStream(path);
  const kind = fstatSync(0);
  if (kind.isFIFO() || kind.isSocket() || kind.isCharacterDevice()) return process.stdin;
  // It isn't ours to close, as Node.js does from 26.12 on: "-" may be there twice, or asked for its size.
  const fs = { read, close: (_: number, done: (error: null) => void) => done(null) };
  return createReadStream("", { fd: 0, fs, highWaterMark: 256 * 1024 });
}

/**
 * A named pipe without blocking: a thread of the runtime's that waits for somebody to write would keep
 * Node.js from ending, whatever else happens. (Linux waits for a first writer as well; others' pipes may be
 * at their end before they have begun.)
 */
function openNamedPipe(path: string | Buffer): Readable | undefined {
  const { platform, versions } = process;
  if (platform !== "linux" || versions.deno || versions.bun) return undefined;
  if (!statSync(path, { throwIfNoEntry: false })?.isFIFO()) return undefined;
  return new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), writable: false });
}
