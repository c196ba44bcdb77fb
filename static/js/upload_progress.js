// How far an upload is, how fast, and how long it will take.

// What a file costs besides its bytes, for the bar.
const FILE_COST = 16 << 10;
const SPEED_MS = 5_000;

export const cost = (item) => item.file.size + FILE_COST;

export class Progress {
  constructor() {
    this.samples = []; // of the last seconds
    this.pace = 0; // the most files a second
  }

  // Of a queue, now: bytes that have left, the bytes a second of the last seconds, the seconds that
  // are left, and the share from 0 to 1.
  of({ uploaded, jobs, failures, stopped, total }, now = performance.now()) {
    let { bytes, count, cost: done } = uploaded;
    for (const job of jobs) {
      const share = job.bytes ? job.sent / job.bytes : Number(job.complete);
      bytes += job.sent;
      count += share * job.items.length;
      done += share * job.items.reduce((sum, item) => sum + cost(item), 0);
    }
    this.samples.push({ now, bytes, count });
    while (this.samples.length > 2 && now - this.samples[0].now > SPEED_MS) this.samples.shift();
    const [first] = this.samples;
    const seconds = (now - first.now) / 1000;
    const perSecond = (more) => (seconds > 1 ? Math.max(0, more / seconds) : 0);
    const speed = perSecond(bytes - first.bytes);
    this.pace = Math.max(this.pace, perSecond(count - first.count));
    const ended = { count: 0, bytes: 0, cost: 0 };
    for (const item of [...failures.keys(), ...stopped]) {
      ended.count += 1;
      ended.bytes += item.file.size;
      ended.cost += cost(item);
    }
    const left = { bytes: total.bytes - ended.bytes - bytes, count: total.count - ended.count - count };
    return {
      bytes,
      speed,
      left: this.secondsFor(left, speed),
      share: total.cost ? Math.min(1, (done + ended.cost) / total.cost) : 0,
    };
  }

  // Large files take their time by the network, small ones by what the server does for each. Both
  // go on at once, so the slower of the two decides. The speed of bytes is that of the last seconds,
  // which people see; the pace of files is the best so far, because while large files are being sent
  // it says nothing about small ones. Returns 0 if it is unknown.
  secondsFor({ bytes, count }, speed) {
    if (!speed) return 0;
    return Math.max(bytes / speed, this.pace ? count / this.pace : 0);
  }
}
