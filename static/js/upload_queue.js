// The files of an upload: which wait, are being sent, are uploaded or failed. Small files are sent
// together, because each request has a price of its own; several requests are under way at once.
// Draws nothing; `changed` is called whenever something did.

import { Progress, cost } from "./upload_progress.js";
import { end, isReadable, renew, send } from "./upload_request.js";

const AT_ONCE = 3;
// Small files share a request, up to these limits: the server gives a form a minute, and after a
// broken connection a whole request is sent again.
const BATCH_FILES = 50;
const BATCH_BYTES = 1 << 20;
const SMALL_BYTES = 256 << 10;
const LOOKAHEAD = 500; // waiting files among which small ones are looked for
const SLICE_MS = 15;
// What fails for a reason that passes is tried again after 1, 2, 4 ... seconds.
const TRIES = 6;
const MOST_WAIT_MS = 30_000;
// Let the page draw and answer.
const yieldToPage = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));

// 32 hex digits; crypto.randomUUID() would need https.
const hex = (word) => word.toString(16).padStart(8, "0");
const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), hex).join("");

export class Queue {
  constructor(form, texts, changed) {
    Object.assign(this, { form, texts, changed });
    this.requests = 0; // since the page was opened
    this.clear();
  }

  // Forget everything; only when nothing is under way.
  clear() {
    this.batch = randomKey(); // of all requests until then: what is sent twice is stored once
    this.waiting = [];
    this.jobs = new Set();
    this.failures = new Map(); // from the item to the reason
    this.stopped = new Set(); // items that were not sent because of Stop
    this.former = new Map(); // from the path to the item, of those before the last choice
    // `there` of them had been uploaded before, with the same content.
    this.uploaded = { count: 0, there: 0, bytes: 0, cost: 0, plain: [], noted: [] };
    this.total = { count: 0, bytes: 0, cost: 0 };
    this.paused = ""; // why: "person", "signedOut", "broken"
    this.isStopped = false;
    this.held = { until: 0, reason: "", times: 0 };
    this.progress = new Progress();
    this.started = performance.now();
  }

  get isActive() {
    return this.waiting.length + this.jobs.size > 0;
  }

  // What the server shows of it: of how many files and bytes it is, without those that cannot be sent.
  get whole() {
    const missing = [...this.failures.keys()].filter((item) => !this.isRetriable(item));
    const bytes = missing.reduce((sum, { file }) => sum + file.size, 0);
    const { total } = this;
    return { key: this.batch, files: total.count - missing.length, bytes: total.bytes - bytes };
  }

  get most() {
    return Number(this.form.dataset.most);
  }

  // What is not uploaded and not under way.
  get unfinished() {
    return [...this.failures.keys(), ...this.stopped];
  }

  // Requests that have not left completely.
  get unsent() {
    return [...this.jobs].filter((job) => !job.complete);
  }

  // Before what was chosen or dropped at once is added: it is read folder by folder, and a click on
  // Stop holds for the folders that are still to be read.
  begin() {
    if (!this.isActive && !this.unfinished.length) this.clear();
    this.former = new Map(this.unfinished.map((item) => [item.path, item]));
    this.isStopped = false;
  }

  // Add what was chosen, in slices: the browser asks for the size of each file only now, and waits
  // for another process each time.
  async add(found) {
    for (let start = 0; start < found.length; ) {
      start = this.addSlice(found, start);
      await yieldToPage();
    }
  }

  // Add files for SLICE_MS; returns where the next slice starts.
  addSlice(found, start) {
    const end = performance.now() + SLICE_MS;
    let next = start;
    do {
      const { file, path } = found[next];
      const item = { file, path, requests: 0, tries: 0, alone: false };
      this.forget(path);
      this.count(item, 1);
      if (file.size > this.most) this.failures.set(item, this.texts.tooLarge);
      else this.waiting.push(item);
      next += 1;
    } while (next < found.length && performance.now() < end);
    this.next();
    return next;
  }

  // A path that could not be read at all.
  addUnreadable(path, reason) {
    const item = { file: new File([], path), path, tries: 0, alone: true, isMissing: true };
    this.forget(path);
    this.count(item, 1);
    this.failures.set(item, reason);
    this.changed();
  }

  // What failed and was chosen again is neither listed nor counted twice.
  forget(path) {
    const item = this.former.get(path);
    if (!item) return;
    if (this.failures.delete(item) || this.stopped.delete(item)) this.count(item, -1);
  }

  count(item, sign) {
    this.total.count += sign;
    this.total.bytes += sign * item.file.size;
    this.total.cost += sign * cost(item);
  }

  next() {
    if (this.isStopped) this.giveUp(this.waiting.splice(0));
    // After a broken connection one request tries it out.
    const most = this.held.times ? 1 : AT_ONCE;
    while (!this.paused && !this.wait() && this.jobs.size < most && this.waiting.length) {
      this.start(this.take());
    }
    this.changed();
  }

  // How many milliseconds all requests have to wait for the server.
  wait() {
    return Math.max(0, this.held.until - performance.now());
  }

  // Remove and return the files of the next request: one, or small ones together.
  take() {
    const isSmall = (item) => !item.alone && item.file.size <= SMALL_BYTES;
    if (!isSmall(this.waiting[0])) return this.waiting.splice(0, 1);
    const taken = new Set();
    let bytes = 0;
    for (const item of this.waiting.slice(0, LOOKAHEAD)) {
      if (!isSmall(item)) continue;
      bytes += item.file.size;
      if (taken.size === BATCH_FILES || bytes > BATCH_BYTES) break;
      taken.add(item);
    }
    this.waiting = this.waiting.filter((item) => !taken.has(item));
    return [...taken];
  }

  async start(items) {
    const job = send(this.form, this.whole, items);
    this.jobs.add(job);
    this.requests += 1;
    for (const item of items) item.requests += 1;
    const outcome = await job.outcome;
    await this[outcome.kind](items, outcome);
    this.jobs.delete(job);
    this.next();
  }

  // What the response does not confirm is not uploaded.
  answered(items, { files }) {
    this.held = { until: 0, reason: "", times: 0 };
    items.forEach((item, index) => {
      const answer = files[index];
      if (answer?.kept && answer.size === item.file.size) this.succeed(item, answer);
      else if (answer && !answer.kept && !answer.retry_after && answer.status !== 503) {
        this.fail(item, answer.problem);
      } else {
        const problem = answer?.problem || this.texts.unconfirmed;
        this.again([item], "busy", problem, answer?.retry_after);
      }
    });
  }

  async refused(items, { status, problem, wait }) {
    const reason = problem || this.texts.refused.replace("{status}", status);
    if (status === 401) {
      this.waiting.unshift(...items);
      this.paused ||= "signedOut";
    } else if ([429, 502, 503, 504].includes(status) || wait) {
      this.again(items, "busy", reason, wait);
    } else if (status === 400 && items[0].tries === 0) {
      // The page may be older than a new sign-in elsewhere.
      await renew(this.form).catch(() => false);
      this.again(items, "busy", reason);
    } else if (items.length > 1 && ![403, 507].includes(status)) {
      // One file may be what the server cannot take.
      for (const item of items) item.alone = true;
      this.waiting.unshift(...items);
    } else {
      for (const item of items) this.fail(item, reason);
    }
  }

  async lost(items) {
    const readable = await Promise.all(items.map(isReadable));
    items.forEach((item, index) => {
      if (!readable[index]) this.fail(item, this.texts.unreadable);
    });
    const rest = items.filter((_, index) => readable[index]);
    for (const item of rest) item.alone = true;
    if (rest.length === items.length) this.again(rest, "broken", this.texts.broken);
    else this.waiting.unshift(...rest);
  }

  // By Stop or Pause, before all of it had left: nothing was stored.
  aborted(items) {
    for (const item of items) item.requests -= 1;
    if (this.isStopped) this.giveUp(items);
    else this.waiting.unshift(...items);
  }

  giveUp(items) {
    for (const item of items) this.stopped.add(item);
  }

  // Try again after a while, and with everything else. The last try has failed: if it was the
  // connection, the others wait until it is back.
  again(items, reason, problem, seconds = 0) {
    const now = performance.now();
    if (!this.wait()) this.held.times += 1;
    const pause = Math.min(1000 * 2 ** (this.held.times - 1), MOST_WAIT_MS);
    this.held.until = Math.max(this.held.until, now + Math.max(pause, 1000 * seconds));
    this.held.reason = reason;
    for (const item of items) item.tries += 1;
    const left = items.filter((item) => item.tries < TRIES);
    for (const item of items) if (!left.includes(item)) this.fail(item, problem);
    this.waiting.unshift(...left);
    const isBroken = left.length < items.length && this.held.times >= TRIES;
    if (isBroken && this.waiting.length) this.paused ||= "broken";
    setTimeout(() => this.next(), this.wait() + 10);
  }

  succeed(item, { path, notes, repeated }) {
    this.uploaded.count += 1;
    // Otherwise the response to an earlier request was lost.
    if (repeated && item.requests === 1) this.uploaded.there += 1;
    this.uploaded.bytes += item.file.size;
    this.uploaded.cost += cost(item);
    this.uploaded[notes?.length ? "noted" : "plain"].push({ path, notes: notes ?? [] });
  }

  fail(item, problem) {
    this.failures.set(item, problem);
  }

  isRetriable(item) {
    return !item.isMissing && item.file.size <= this.most;
  }

  retry(items) {
    const files = items.filter((item) => this.isRetriable(item));
    for (const item of files) {
      this.failures.delete(item);
      this.stopped.delete(item);
      item.tries = 0;
      item.alone = false;
    }
    this.isStopped = false;
    this.waiting.unshift(...files);
    if (this.paused === "broken") this.resume();
    else this.next();
  }

  // Nothing more is sent. What is being sent, which may be one large file, is sent again from its
  // beginning by resume(): the server stores no part of a request.
  pause() {
    this.paused = "person";
    for (const job of this.unsent) job.stop();
    this.changed();
  }

  // The connection is back.
  reconnect() {
    if (this.paused === "broken") this.resume();
    this.held.until = 0;
    this.next();
  }

  // Returns false if nobody has signed in.
  async resume() {
    if (this.paused === "signedOut") {
      const renewed = await renew(this.form).catch(() => false);
      if (!renewed) return false;
    }
    this.paused = "";
    this.held = { until: 0, reason: "", times: 0 };
    this.next();
    return true;
  }

  // Nothing more is sent, unless more files are chosen or some are tried again.
  end() {
    end(this.form, this.batch);
  }

  // What has left completely is being stored and cannot be stopped.
  stop() {
    this.isStopped = true;
    this.paused = "";
    for (const job of this.unsent) job.stop();
    this.next();
  }
}
