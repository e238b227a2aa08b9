// The benchmark's load generator: the clients of an echo server, in a process of their own, the same
// for every server. Takes a job as JSON, prints what it measured as JSON; fails if an echo differs.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as net from "node:net";
import * as tls from "node:tls";

export type Job =
  | { kind: "bulk"; mib: number } // one connection, all of it sent and received at once
  | { kind: "connections"; count: number } // connect, one echo, close; 32 at a time
  | { kind: "round trips"; clients: number; rounds: number } // all at once, 64 bytes each
  | { kind: "hold"; clients: number }; // all stay connected, each is answered, until stdin ends
export type Target = { port: number; ca?: string }; // the CA's file (PEM); none: plain TCP

const { port, ca, ...job } = JSON.parse(process.argv[2]!) as Job & Target;
const secureContext = ca ? tls.createSecureContext({ ca: readFileSync(ca) }) : undefined;
const message = randomBytes(64);

if (job.kind === "bulk") print({ seconds: await bulk(job.mib) });
else if (job.kind === "connections") {
  const start = performance.now();
  await inParallel(job.count, 32, async () => {
    const socket = await connect();
    await echo(socket);
    socket.destroy();
  });
  print({ seconds: (performance.now() - start) / 1000 });
} else if (job.kind === "round trips") {
  const sockets = await inParallel(job.clients, 32, connect);
  const times: number[] = []; // milliseconds
  await Promise.all(
    sockets.map(async (socket) => {
      for (let round = 0; round < 3; round++) await echo(socket); // until both ends are warm
      for (let round = 0; round < job.rounds; round++) {
        const start = performance.now();
        await echo(socket);
        times.push(performance.now() - start);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const percentile = (p: number) => times[Math.ceil((p / 100) * times.length) - 1]!;
  print({ p50: percentile(50), p99: percentile(99) });
  for (const socket of sockets) socket.destroy();
} else {
  const start = performance.now();
  const sockets = await inParallel(job.clients, 64, connect);
  await inParallel(job.clients, 64, (i) => echo(sockets[i]!));
  print({ seconds: (performance.now() - start) / 1000 });
  await once(process.stdin.resume(), "end");
  for (const socket of sockets) socket.destroy();
}

/** Connects the Nth client, each few thousand from an address of their own: ports are 16 bits. */
async function connect(nth = 0): Promise<net.Socket> {
  const localAddress = process.platform === "linux" ? `127.0.0.${1 + Math.floor(nth / 4000)}` : "";
  const to = { port, host: "127.0.0.1", localAddress, noDelay: true };
  const socket = secureContext
    ? tls.connect({ ...to, servername: "localhost", secureContext })
    : net.connect(to);
  await once(socket, secureContext ? "secureConnect" : "connect");
  return socket;
}

async function echo(socket: net.Socket): Promise<void> {
  socket.write(message);
  const chunks: Buffer[] = [];
  for (let size = 0; size < message.length; size += chunks.at(-1)!.length)
    chunks.push((await once(socket, "data"))[0]);
  if (!Buffer.concat(chunks).equals(message)) throw new Error("the echo differs");
}

/** Sends so much, random, and compares what comes back; the seconds that it took. */
async function bulk(mib: number): Promise<number> {
  const block = randomBytes(256 * 1024);
  const blocks = mib * 4;
  const socket = await connect();
  const start = performance.now();
  let [sent, received] = [0, 0];
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const offset = (received + at) % block.length;
      const length = Math.min(chunk.length - at, block.length - offset);
      if (block.compare(chunk, at, at + length, offset, offset + length) !== 0)
        throw new Error("the echo differs");
      at += length;
    }
    received += chunk.length;
    if (received === blocks * block.length) socket.emit("complete");
  });
  // Four writes are under way at any time.
  const send = () => void (sent++ < blocks && socket.write(block, send));
  for (let i = 0; i < 4; i++) send();
  await once(socket, "complete");
  const seconds = (performance.now() - start) / 1000;
  socket.destroy();
  return seconds;
}

async function inParallel<T>(count: number, width: number, task: (nth: number) => Promise<T>) {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let nth; (nth = next++) < count;) results[nth] = await task(nth);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

function print(result: object): void {
  console.log(JSON.stringify(result));
}
