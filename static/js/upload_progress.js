// How far an upload is, how fast, and how long it will take.

// What a file costs besides its bytes, for the bar and the time that is left.
const FILE_COST = 16 << 10;
const SPEED_MS = 5_000;

export const cost = (item) => item.file.size + FILE_COST;

export class Progress {
  constructor() {
    this.samples = []; // of the last seconds
  }

  // Of a queue, now: bytes that have left, the bytes a second of the last seconds, the seconds that
  // are left, and the share from 0 to 1. The speed that counts is that of the costs.
  of({ uploaded, jobs, failures, total }) {
    let { bytes, cost: done } = uploaded;
    for (const job of jobs) {
      const share = job.bytes ? job.sent / job.bytes : Number(job.complete);
      bytes += job.sent;
      done += share * job.items.reduce((sum, item) => sum + cost(item), 0);
    }
    const now = performance.now();
    this.samples.push({ now, bytes, done });
    while (this.samples.length > 2 && now - this.samples[0].now > SPEED_MS) this.samples.shift();
    const [first] = this.samples;
    const seconds = (now - first.now) / 1000;
    const failed = [...failures.keys()].reduce((sum, item) => sum + cost(item), 0);
    const pace = seconds > 1 ? (done - first.done) / seconds : 0;
    return {
      bytes,
      speed: seconds > 1 ? Math.max(0, (bytes - first.bytes) / seconds) : 0,
      left: pace > 0 ? (total.cost - failed - done) / pace : 0,
      share: total.cost ? Math.min(1, (done + failed) / total.cost) : 0,
    };
  }
}
