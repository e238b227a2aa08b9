// How far a long read has come, on a terminal: "42 %, 1.7 GiB, 812 MiB/s" on standard error, kept
// up to date in its place, and cleared in the end.

const PATIENCE = 1000; // milliseconds of work before anything is shown
const INTERVAL = 200; // milliseconds between two updates

/**
 * @returns functions that `count` the bytes read, set the `total` where it is known (bytes), and
 * `clear` the line, to be called before anything else is printed
 */
export function meter() {
  const start = performance.now();
  let [done, total, drawn, next] = [0, NaN, false, start + PATIENCE];
  return {
    total(bytes: number) {
      total = bytes;
    },
    count(bytes: number) {
      done += bytes;
      const now = performance.now();
      if (now < next) return;
      const percent = total > 0 ? `${Math.floor((100 * done) / total)} %, ` : "";
      const rate = `${inUnits((done / (now - start)) * 1000)}/s`;
      process.stderr.write(`\r${percent}${inUnits(done)}, ${rate}\u001b[K`); // EL: erase to the end
      [drawn, next] = [true, now + INTERVAL];
    },
    clear() {
      if (drawn) process.stderr.write("\r\u001b[K");
      drawn = false;
    },
  };
}

function inUnits(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
