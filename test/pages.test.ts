// The READMEs tell the truth: every command in them is run, each page in its own language, and prints
// what they say; every excerpt stands in its script; every link leads somewhere; and both pages have the
// same structure. A block that is "not run" says so.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { before, test } from "node:test";
import { TSX, inScratch, needs, root, run, start, type Program } from "./helpers.ts";

const PAGES = { "README.md": "C", "README.ko.md": "ko_KR.UTF-8" };

type Block = { info: string; text: string };
const read = (name: string) => readFileSync(join(root, name), "utf8");
const blocks = (page: string): Block[] =>
  [...read(page).matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, text]) => ({
    info: info!,
    text: text!,
  }));
const english = blocks("README.md");

test("both languages have the same structure, the same commands and the same code", () => {
  const commands = (text: string) => text.match(/^\$ .*$/gm);
  const comparable = (page: string) =>
    blocks(page).map(({ info, text }) => ({
      info,
      text: /^ts/.test(info) ? text : info.startsWith("console") && commands(text),
    }));
  assert.ok(english.length > 15);
  assert.deepEqual(comparable("README.ko.md"), comparable("README.md"));
  const headings = (page: string) =>
    read(page)
      .replace(/^```[^]*?^```$/gm, "")
      .match(/^#+ (?=.)|^[-*] |^\d+\. |^\||^<.?details/gm);
  assert.deepEqual(headings("README.ko.md"), headings("README.md"));
});

test("the three sections are read in two minutes", () => {
  const [sections] = read("README.md").split("## Seeing the wire") as [string];
  assert.ok(sections.split(/\s+/).length <= 1000);
  assert.ok(sections.split("\n").length <= 200);
});

test("every link inside the repository leads somewhere", () => {
  for (const name of Object.keys(PAGES))
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
    .replace(/port \d+ is|\d+번 포트/g, "PORT is")
    .replace(/\/\S*\/\.certs/g, "/HERE/.certs")
    .replace(/\d{4}-\d\d-\d\d/g, "DATE")
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT/g, "TIME")
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

for (const [page, locale] of Object.entries(PAGES))
  test(`every command of ${page} prints what the page says`, needs("openssl"), async () => {
    rmSync(join(home, ".certs"), { recursive: true, force: true });
    const { DEV_CERTS_DIR, ...rest } = process.env;
    const options = { cwd: home, env: { ...rest, LC_ALL: locale } };

    let server: Program | undefined;
    let [port, expected] = ["0", ""];
    const stop = async () => {
      server?.child.kill("SIGTERM");
      assert.equal((await server?.exit) ?? 0, 0);
      assert.equal(masked(server?.stdout() ?? "").slice(0, expected.length), expected);
    };
    for (const { info, text } of blocks(page)) {
      if (info !== "console") continue;
      if (page !== "README.md" && english.some((block) => block.text === text)) continue; // was run
      for (const step of text.split(/^\$ /m).slice(1)) {
        const [command, ...output] = step.split("\n") as [string, ...string[]];
        const printed = masked(output.join("\n"));
        const tsx = [process.execPath, ...TSX].join(" ");
        if (command.includes("scripts/server.ts") && /127\.0\.0\.1:PORT \(TLS\)/.test(printed)) {
          await stop();
          const started = `exec ${command.replace("npx tsx", tsx)} --port 0 2>&1`;
          server = start("sh", ["-c", started], options);
          expected = printed;
          port = (await server.prints(/ 127\.0\.0\.1:(\d+) \(TLS\)/))[1]!;
        } else {
          const own = command
            .replaceAll("npx tsx", tsx)
            .replace(/(scripts\/(server|tls-client)\.ts)/g, `$1 --port ${port}`);
          const { stdout } = await run("sh", ["-c", `{ ${own}\n} 2>&1`], options);
          assert.equal(masked(stdout), printed, command);
        }
      }
    }
    await stop();
    // Nothing is left but what the page says: the development certificates.
    assert.deepEqual(
      readdirSync(home).filter((name) => !readdirSync(root).includes(name)),
      existsSync(join(root, ".certs")) ? [] : [".certs"],
    );
  });
