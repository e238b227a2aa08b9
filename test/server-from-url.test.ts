// The scripts straight from a URL, as Deno runs them, with no repository around them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { ENV, inScratch, needs, root, run, start } from "./helpers.ts";
import { portOf } from "./peers.ts";

test(
  "deno run URL: hash, server and client, with .certs in the working directory",
  needs("deno"),
  async () => {
    const files = createServer(({ url }, response) => {
      response.setHeader("content-type", "text/plain; charset=utf-8");
      if (/^\/(scripts|lib)\/[a-z-]+\.[jt]s$/.test(url!))
        response.end(readFileSync(join(root, url!)));
      else response.writeHead(404).end();
    });
    const port = await portOf(files);
    const cwd = inScratch("elsewhere");
    mkdirSync(cwd);
    const env = { ...ENV, DEV_CERTS_DIR: "", DENO_DIR: inScratch("deno") };
    const args = (name: string) => ["run", "-A", `http://127.0.0.1:${port}/scripts/${name}.ts`];

    const hash = await run("deno", args("hash"), { cwd, env });
    assert.match(
      hash.stdout,
      /^315f5bdb76d078c43b8ac0064e4a0164612b1fce77c869345bfc94c75894edd3\n$/,
    );
    const server = start("deno", [...args("server"), "--once", "--port", "0"], { cwd, env });
    const [, own] = await server.prints(/^Server started on .*:(\d+) \(TLS\)/m);
    const client = await run("deno", [...args("tls-client"), "--port", own!], { cwd, env });
    assert.equal(client.stdout, "Response from server: Hello, server!\n");
    assert.match(client.stderr, /Verified: localhost/);
    assert.equal(await server.exit, 0);
    assert.ok(existsSync(join(cwd, ".certs/server.crt")));
  },
);
