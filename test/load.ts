// The benchmark's load generator: the clients of an echo server, in a process of their own, the same
// for every server. Takes jobs, a line of JSON each, and answers with what it measured. Each job begins
// with a while that does not count, until both ends are warm. Ends if an echo differs from what was sent.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import * as tls from "node:tls";

export type Job =
  | { kind: "bulk"; seconds: number } // one connection, sending and receiving all the time
  | { kind: "connections"; seconds: number } // connect, one echo, close; 32 at a time
  | { kind: "round trips"; clients: number; rounds: number } // all at once, 64 bytes each
  | { kind: "hold"; clients: number }; // all stay connected until the next job, each is answered
export type Target = { port: number; ca?: string }; // the CA's file (PEM); none: plain TCP
/** The job's figure; and how much the server did in all, the warm-up included. */
export type Result = { value: number; p50?: number; done: number };

const WIDTH = 32; // connections that are made at a time
const message = randomBytes(64);
let target: { port: number; secureContext?: tls.SecureContext };
const open = new Set<net.Socket>();

for await (const line of createInterface({ input: process.stdin })) {
  for (const socket of open) socket.destroy(); // of the job before
  const { port, ca, ...job } = JSON.parse(line) as Job & Target;
  target = {
    port,
    ...(ca && { secureContext: tls.createSecureContext({ ca: readFileSync(ca) }) }),
  };
  console.log(JSON.stringify(await measure(job)));
}

async function measure(job: Job): Promise<Result> {
  if (job.kind === "bulk") return bulk(job.seconds);
  if (job.kind === "connections") return connections(job.seconds);
  if (job.kind === "round trips") return roundTrips(job.clients, job.rounds);
  return { value: NaN, done: (await connectAll(job.clients)).length };
}

/**
 * MiB in each second. The least work that a client can do for it: one block, and one buffer to receive
 * in, which stay in the processor's cache. A generator that works harder measures itself.
 */
async function bulk(seconds: number): Promise<Result> {
  const block = randomBytes(64 * 1024);
  let [received, at] = [0, 0];
  const callback = (length: number, buffer: Uint8Array) => {
    const end = Math.min(length, block.length - at); // from there on, the block begins again
    if (
      block.compare(buffer, 0, end, at, at + end) !== 0 ||
      block.compare(buffer, end, length, 0, length - end) !== 0
    )
      throw new Error("the echo differs");
    at = (at + length) % block.length;
    received += length;
    return true;
  };
  const socket = await connect({ onread: { buffer: Buffer.alloc(block.length), callback } });
  const send = (error?: unknown) => void (error || socket.write(block, send));
  for (let i = 0; i < 4; i++) send(); // so many writes are under way at any time
  const mib = () => received / 1024 ** 2;
  await setTimeout(300);
  const [start, before] = [performance.now(), mib()];
  while (performance.now() - start < seconds * 1000) {
    const last = received;
    await setTimeout(100);
    if (received === last) throw new Error(`the echo stopped after ${mib().toFixed(1)} MiB`);
  }
  return { value: ((mib() - before) * 1000) / (performance.now() - start), done: mib() };
}

/** Connections in each second. */
async function connections(seconds: number): Promise<Result> {
  let [count, done] = [0, false];
  const all = Promise.all(
    Array.from({ length: WIDTH }, async () => {
      while (!done) {
        const socket = await connect();
        await echo(socket);
        socket.destroy();
        count++;
      }
    }),
  );
  await setTimeout(300);
  const [start, before] = [performance.now(), count];
  await setTimeout(seconds * 1000);
  const value = ((count - before) * 1000) / (performance.now() - start);
  done = true;
  await all;
  return { value, done: count };
}

/** The 99th percentile of the round trips' times, and their median, in milliseconds. */
async function roundTrips(clients: number, rounds: number): Promise<Result> {
  const sockets = await connectAll(clients);
  const times: number[] = [];
  await Promise.all(
    sockets.map(async (socket) => {
      for (let round = 0; round < 3; round++) await echo(socket); // until both ends are warm
      for (let round = 0; round < rounds; round++) {
        const start = performance.now();
        await echo(socket);
        times.push(performance.now() - start);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const percentile = (p: number) => times[Math.ceil((p / 100) * times.length) - 1]!;
  return { value: percentile(99), p50: percentile(50), done: clients };
}

/**
 * Connects so many clients, and has each answered once. All but the first resume its TLS session, which
 * takes a third less time; each few thousand have an address of their own, for ports are 16 bits.
 */
async function connectAll(clients: number): Promise<net.Socket[]> {
  const first = await connect();
  let session: Buffer | undefined;
  first.once("session", (ticket: Buffer) => (session = ticket)); // comes before the echo
  await echo(first);
  const sockets = [first];
  let next = 1;
  const worker = async () => {
    for (let nth; (nth = next++) < clients;) {
      const own = process.platform === "linux" && {
        localAddress: `127.0.0.${1 + Math.floor(nth / 4000)}`,
      };
      const socket = await connect({ ...own, session });
      await echo(socket);
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  return sockets;
}

async function connect(more: object = {}): Promise<net.Socket> {
  const { port, secureContext } = target;
  const to = { port, host: "127.0.0.1", noDelay: true, ...more };
  const socket = secureContext
    ? tls.connect({ ...to, servername: "localhost", secureContext })
    : net.connect(to);
  open.add(socket);
  socket.once("close", () => open.delete(socket));
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
