// What the tests of the pages share: the READMEs, their blocks, and what a server says when it is ready.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./helpers.ts";

export const PAGES = [
  { page: "README.md", picture: ".github/terminals.svg", locale: "C" },
  { page: "README.ko.md", picture: ".github/terminals.ko.svg", locale: "ko_KR.UTF-8" },
];

export type Block = { info: string; text: string };
export const read = (name: string) => readFileSync(join(root, name), "utf8");
export const blocks = (page: string): Block[] =>
  [...read(page).matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info, text]) => ({
    info: info!,
    text: text!,
  }));
export const english = blocks("README.md");

/** A program before a change that a page shows as a diff ("-"), or after it ("+"): the diff has all of it. */
export const program = (diff: string, side: "-" | "+") =>
  diff
    .split("\n")
    .filter((line) => line[0] === " " || line[0] === side)
    .map((line) => line.slice(1) + "\n")
    .join("");

export const READY = /^.*(?:Waiting for clients|접속을 기다립니다)\..*\n/m;
export const portOf = (ready: string) => /:(\d+) \(/.exec(ready)?.[1];
