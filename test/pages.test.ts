// The READMEs tell the truth: every command in them is run, each page in its own language, and prints
// what they say; every excerpt stands in its script; the pictures show what the pages say; every link
// leads somewhere; and both pages have the same structure. A block that is "not run" says so, and one that
// is for a program says "with" which.
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, test } from "node:test";
import {
  TSX,
  freePort,
  inScratch,
  needs,
  root,
  run,
  start,
  uncounted,
  type Program,
} from "./helpers.ts";
import { PAGES, READY, blocks, english, portOf, program, read } from "./pages.ts";

uncounted();

/** The commands of a block, each with what it prints. A line that ends in `\` or `|` goes on in the next. */
const steps = (text: string) =>
  [...text.matchAll(/^\$ ((?:.*[\\|]\n)*.*)\n((?:[^$].*\n)*)/gm)].map(([, command, printed]) => ({
    command: command!,
    printed: printed!,
  }));

test("both languages have the same structure, the same commands and the same code", () => {
  const comparable = (page: string) =>
    blocks(page).map(({ info, text }) => ({
      info,
      text: /^(ts|diff)/.test(info) ? text : steps(text).map(({ command }) => command),
    }));
  assert.ok(english.length > 30);
  assert.deepEqual(comparable("README.ko.md"), comparable("README.md"));
  const outside = (page: string, pattern: RegExp) =>
    read(page)
      .replace(/^```[^]*?^```$/gm, "")
      .match(pattern)!;
  const headings = (page: string) => outside(page, /^#+ (?=.)|^[-*] |^\d+\. |^\||^<.?details/gm);
  assert.deepEqual(headings("README.ko.md"), headings("README.md"));
  const rows = (page: string) =>
    outside(page, /^\|.*$/gm).map((row) => row.split("|").map((cell) => cell.match(/`[^`]+`/g)));
  assert.deepEqual(rows("README.ko.md"), rows("README.md"));
});

test("what stands here for the post's lines is in the scripts", () => {
  const code = readdirSync(join(root, "scripts")).map((name) => read(`scripts/${name}`));
  const rows = [...read("README.md").matchAll(/^\|.*\|(.*)\|$/gm)].slice(2);
  assert.ok(rows.length > 8);
  for (const [, here] of rows)
    for (const name of here!.match(/`[^`]+`/g)!.flatMap((span) => span.match(/\w{2,}/g)!))
      assert.match(code.join(), new RegExp(`\\b${name}\\b`));
});

test("the three sections are read in two minutes, and a command fits a terminal", () => {
  const [sections] = read("README.md").split("## The post, line by line") as [string];
  const [words, lines] = [sections.split(/\s+/).length, sections.split("\n").length];
  assert.ok(words <= 1000 && lines <= 200, `${words} words, ${lines} lines`);
  for (const { info, text } of english)
    for (const { command } of info.startsWith("console") ? steps(text) : [])
      for (const line of command.split("\n")) assert.ok(line.length <= 78, line);
});

test("every link inside the repository leads somewhere, and there is one to each file of lib/", () => {
  for (const { page } of PAGES) {
    for (const name of readdirSync(join(root, "lib")))
      assert.ok(read(page).includes(`](lib/${name})`), `${page}: lib/${name}`);
    const headings = read(page).match(/^#+ .*$/gm)!;
    const anchors = headings.map((heading) =>
      heading
        .replace(/^#+ /, "#")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}# -]/gu, "")
        .replaceAll(" ", "-"),
    );
    for (const [, target] of read(page).matchAll(/\]\(([^)]+)\)/g))
      if (target!.startsWith("#")) assert.ok(anchors.includes(target!), `${page}: ${target}`);
      else if (!/^https?:/.test(target!))
        assert.ok(existsSync(join(root, target!)), `${page}: ${target}`);
  }
});

test("every excerpt stands in a script", () => {
  const lines = (text: string) =>
    text
      .trim()
      .split(/\s*\n\s*/)
      .join("\n");
  const scripts = readdirSync(join(root, "scripts")).map((name) => lines(read(`scripts/${name}`)));
  const excerpts = english.filter(({ info }) => info === "ts");
  assert.equal(excerpts.length, 3);
  for (const { text } of excerpts)
    assert.ok(
      scripts.some((script) => script.includes(lines(text))),
      text,
    );
});

test("what is to be run on its own prints what stands under it", async () => {
  const programs = english.filter(({ info }) => info === "ts run");
  assert.equal(programs.length, 2);
  for (const program of programs) {
    writeFileSync(inScratch("block.mts"), program.text);
    const { stdout, stderr } = await run(process.execPath, [...TSX, inScratch("block.mts")]);
    assert.equal(stderr, "");
    assert.equal(stdout, english[english.indexOf(program) + 1]!.text);
  }
});

for (const { page, picture } of PAGES)
  test(`the picture of ${page} shows what the page says, and nothing that it must not`, () => {
    const image = read(picture);
    assert.ok(read(page).includes(`](${picture})`));
    assert.ok(Buffer.byteLength(image) <= 10 * 1024);
    assert.doesNotMatch(image, /<script|href|<foreignObject|\son\w+=/i);
    assert.match(image, /prefers-color-scheme: dark/);
    assert.match(image, /prefers-reduced-motion/);
    const plain = (text: string) =>
      text
        .replace(/<[^>]*>/g, "")
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&amp;", "&");
    // A terminal is a group, a line of it a text, which may be in several rows.
    const terminals = [...image.matchAll(/<g class="terminal"[^]*?<\/g>/g)].map(([terminal]) =>
      [...terminal.matchAll(/<text[^>]*>([^]*?)<\/text>/g)].map(([, line]) => plain(line!) + "\n"),
    );
    const [server, client] = blocks(page).filter(({ info }) => info === "console");
    const log = blocks(page).find(({ info }) => info === "text server");
    const refusal = blocks(page).flatMap(({ text }) => {
      const { command, printed } =
        steps(text).find((step) => /example\.com$/.test(step.command)) ?? {};
      return command ? `$ ${command}\n${printed}` : [];
    })[0];
    assert.equal(terminals.length, 2);
    assert.equal(terminals[0]!.join(""), server!.text + log!.text);
    assert.equal(terminals[1]!.join(""), client!.text + refusal);
  });

/** What differs from run to run. */
const masked = (text: string) =>
  text
    .replace(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replace(/\('127\.0\.0\.1', \d+\)/g, "('127.0.0.1', PORT)")
    .replace(/port \d+ is|\d+번 포트/g, "PORT is")
    .replace(/\/\S*\/\.certs/g, "/HERE/.certs")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
    .replace(/\d{4}-\d\d-\d\d/g, "DATE")
    .replace(/^(Key exchange|키 교환): .*$/gm, "$1: GROUP") // newer runtimes have newer ones
    .replace(/([LlI]ength[=:]? ?)\d+/g, "$1N")
    .replace(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, "FINGERPRINT");

// In a copy of the repository, as a reader has it, with packages of its own: `make` may find them out of
// date, and installs them anew.
const home = inScratch("copy");
before(() => {
  const left = [".git", ".certs", "coverage", "node_modules"];
  const filter = (path: string) => !left.includes(basename(path));
  const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
  cpSync(root, home, { ...options, filter });
  const packages = realpathSync(join(root, "node_modules")); // also where it is a link
  cpSync(packages, join(home, "node_modules"), options);
});

/** A line with `?` for an address: whether a client that has gone still has one is a matter of time. */
const pattern = (line: string) =>
  new RegExp(
    line
      .split("?")
      .map((part) => part.replace(/[.()]/g, "\\$&"))
      .join("\\S+"),
  );

for (const { page, locale } of PAGES)
  test(`every command of ${page} prints what the page says`, needs("openssl"), async (t) => {
    rmSync(join(home, ".certs"), { recursive: true, force: true });
    const { DEV_CERTS_DIR, LC_ALL, LC_MESSAGES, ...rest } = process.env;
    const env = { ...rest, LANG: locale, PYTHONUNBUFFERED: "1" };
    const options = { cwd: home, env };

    // The servers that run now, by the port that the page gives them.
    type Server = { program: Program; port: string; expected: string; ends: boolean };
    const servers = new Map<string, Server>();
    async function stop(pagePort: string) {
      const server = servers.get(pagePort);
      if (!server) return;
      servers.delete(pagePort);
      const { program, expected, ends } = server;
      if (!ends) program.child.kill("SIGTERM");
      assert.equal(await program.exit, 0);
      assert.equal(masked(program.stdout()).slice(0, expected.length), expected);
    }

    /** A command with a port of our own. */
    const withPort = (command: string, port: string) =>
      command
        .replaceAll("npx tsx", [process.execPath, ...TSX].join(" "))
        .replace(" --port 5001", "")
        .replace(/scripts\/(server|tls-client)\.ts/g, `$& --port ${port}`)
        .replace("localhost 5001", `localhost ${port}`)
        .replace(/python3 (\S+)/, `python3 -c "$(sed s/5000/${port}/ $1)"`);

    async function follow({ command, printed }: { command: string; printed: string }) {
      const pagePort = command.includes("5001") ? "5001" : "5000";
      const expected = masked(printed);
      if (READY.test(printed)) {
        await stop(pagePort);
        const asked = command.startsWith("python3") ? await freePort() : "0";
        const ends = /--once|python3/.test(command); // by itself, after one client
        const limit = ends ? { timeout: 60_000 } : {};
        const line = `exec ${withPort(command, asked)} 2>&1`;
        const program = start("sh", ["-c", line], { ...options, ...limit });
        const [ready] = await program.prints(READY);
        servers.set(pagePort, { program, port: portOf(ready) ?? asked, expected, ends });
        return;
      }
      const own = withPort(command, servers.get(pagePort)?.port ?? "0");
      const { code, stdout } = await run("sh", ["-c", `{ ${own}\n} 2>&1`], options);
      // What openssl prints while it makes keys is not on the page.
      if (command.includes("openssl ")) assert.equal(code, 0, command + stdout);
      else assert.equal(masked(stdout), expected, command);
    }

    for (const { info, text } of blocks(page)) {
      if (info.startsWith("diff ")) writeFileSync(join(home, info.slice(5)), program(text, "+"));
      if (info === "text server") await servers.get("5000")!.program.prints(pattern(text.trim()));
      const fence = /^console(?: with (\S+))?$/.exec(info);
      if (!fence) continue;
      const commands = steps(text);
      await t.test(commands[0]!.command, needs(fence[1] ?? "sh"), async () => {
        for (const step of commands) await follow(step);
      });
    }
    for (const pagePort of servers.keys()) await stop(pagePort);
    // Nothing is left but what the page says: the development certificates.
    assert.deepEqual(
      readdirSync(home).filter((name) => !readdirSync(root).includes(name)),
      existsSync(join(root, ".certs")) ? [] : [".certs"],
    );
  });
