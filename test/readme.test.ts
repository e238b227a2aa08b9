// The READMEs tell the truth: every command in them is run, and prints what they say; every excerpt
// stands in its script; every link leads somewhere; and the two languages have the same blocks.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { TSX, inScratch, needs, root, run, start, type Program } from "./helpers.ts";

type Block = { info: string; text: string };
const read = (name: string) => readFileSync(join(root, name), "utf8");
const blocks = (page: string): Block[] =>
  [...page.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, text]) => ({
    info: info!,
    text: text!,
  }));
const english = blocks(read("README.md"));

test("both languages have the same blocks in the same order", () => {
  const comparable = (page: Block[]) =>
    page.map(({ info, text }) => (info === "mermaid" ? { info, text: "" } : { info, text }));
  assert.ok(english.length > 10);
  assert.deepEqual(comparable(blocks(read("README.ko.md"))), comparable(english));
  const headings = (page: string) =>
    page.replace(/^```[^]*?^```$/gm, "").match(/^#+ (?=.)|^[-*] |^\d+\. |^\|/gm);
  assert.deepEqual(headings(read("README.ko.md")), headings(read("README.md")));
});

test("every link inside the repository leads somewhere", () => {
  for (const name of ["README.md", "README.ko.md"])
    for (const [, target] of read(name).matchAll(/\]\(([^)#]+)[^)]*\)/g))
      if (!/^https?:/.test(target!))
        assert.ok(existsSync(join(root, target!)), `${name}: ${target}`);
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
  const i = english.findIndex(({ info }) => info === "ts run");
  const program = ["--input-type=module", "--eval", english[i]!.text];
  const { stdout, stderr } = await run(process.execPath, program);
  assert.equal(stderr, "");
  assert.equal(stdout, english[i + 1]!.text);
});

/** What differs from run to run. */
const masked = (text: string) =>
  text
    .replace(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replace(/port \d+ is taken/g, "port PORT is taken")
    .replace(/\d{4}-\d\d-\d\d/g, "DATE")
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT/g, "TIME")
    .replace(/^Key exchange: .*$/gm, "Key exchange: GROUP") // newer runtimes have newer ones
    .replace(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, "FINGERPRINT");

test("every command prints what the page says", needs("openssl", "make"), async () => {
  // In a copy of the repository, as a reader has it; with ports of the test's own.
  const home = inScratch("copy");
  const left = ["node_modules", ".git", ".certs", "coverage"];
  const filter = (path: string) => !left.includes(basename(path));
  cpSync(root, home, { recursive: true, preserveTimestamps: true, filter });
  // A copy, not a link: `make` may find the packages out of date, and installs them anew.
  cpSync(join(root, "node_modules"), join(home, "node_modules"), {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  });
  // `make test` runs this: what it exports is not for the reader's own `make`.
  const { DEV_CERTS_DIR, MAKEFLAGS, MAKELEVEL, MFLAGS, RUN, ...rest } = process.env;
  const options = { cwd: home, env: { ...rest, LC_ALL: "C" } };

  let server: Program | undefined;
  let [port, expected] = ["0", ""];
  const stop = async () => {
    server?.child.kill("SIGTERM");
    assert.equal((await server?.exit) ?? 0, 0);
    assert.equal(masked(server?.stdout() ?? "").slice(0, expected.length), expected);
  };
  for (const { info, text } of english) {
    if (info !== "console") continue;
    for (const step of text.split(/^\$ /m).slice(1)) {
      const [command, ...output] = step.split("\n") as [string, ...string[]];
      const printed = masked(output.join("\n"));
      if (command.includes("scripts/server.ts") && /^Server started/.test(printed)) {
        await stop();
        const args = [...TSX, ...command.replace("npx tsx ", "").split(" "), "--port", "0"];
        const words = ["-c", 'exec "$@" 2>&1', "sh", process.execPath, ...args];
        server = start("sh", words, options);
        [port, expected] = [(await server.prints(/^Server started on .*:(\d+) \(/m))[1]!, printed];
      } else {
        const own = command.replace(/(scripts\/(server|tls-client)\.ts)/g, `$1 --port ${port}`);
        const { stdout } = await run("sh", ["-c", `{ ${own}\n} 2>&1`], options);
        assert.equal(masked(stdout), printed, command);
      }
    }
  }
  await stop();
});
