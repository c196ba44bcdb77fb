// The panel of an upload: one title, one bar, failures first, successes folded. However many files
// there are, it has at most some hundred rows. Texts come from the page, in the reader's language.

const ROWS = 100;
const DRAW_MS = 250;
const language = document.documentElement.lang;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const count = (value) => number.format(value);

function bytes(value) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${number.format(unit ? value : Math.round(value))} ${units[unit]}`;
}

function duration(seconds) {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : [seconds / 60, "minute"];
  const style = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(language, style).format(Math.max(1, value));
}

export class Panel {
  constructor(element, form, queue) {
    Object.assign(this, { element, form, queue, texts: element.dataset });
    this.rows = new Map(); // from the item to its row, of those that failed and were stopped
    this.timer = 0;
    const find = (name) => element.querySelector(`[data-${name}]`);
    for (const name of ["title", "figures", "note", "signin", "failures", "stops", "successes", "status"]) {
      this[name] = find(name);
    }
    this.bar = element.querySelector("progress");
    this.buttons = {};
    const actions = {
      pause: () => queue.pause(),
      resume: () => this.resume(),
      stop: () => queue.stop(),
      clear: () => this.clear(),
      retryall: () => this.retry(queue.unfinished),
    };
    for (const [name, action] of Object.entries(actions)) {
      this.buttons[name] = find(name);
      this.buttons[name].addEventListener("click", action);
    }
    this.successes.addEventListener("toggle", () => this.drawUploaded());
    this.stops.addEventListener("toggle", () => this.drawFailed());
  }

  async resume() {
    const resumed = await this.queue.resume();
    if (!resumed) this.note.firstElementChild.textContent = this.texts.notSignedIn;
    else this.title.focus();
  }

  clear() {
    this.queue.clear();
    this.element.hidden = true;
    this.form.querySelector("[data-choose]").focus();
  }

  retry(items) {
    const rows = [...this.failures.querySelectorAll("li")];
    const after = rows.indexOf(this.rows.get(items[0])) + 1;
    const next = items.length === 1 && rows[after]?.querySelector("button");
    this.queue.retry(items);
    (next || this.title).focus();
  }

  // Draw now if that was not done just now, and again until nothing is going on.
  show() {
    this.element.hidden = false;
    this.isOutdated = true;
    if (this.timer) return;
    this.draw();
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (this.isOutdated || this.queue.isActive) this.show();
    }, DRAW_MS);
  }

  draw() {
    const { queue } = this;
    const progress = queue.progress.of(queue);
    this.isOutdated = false;
    this.drawTitle();
    this.figures.textContent = this.figuresOf(progress);
    this.bar.value = progress.share;
    this.bar.classList.toggle("ended", !queue.isActive);
    this.note.hidden = !["signedOut", "broken"].includes(queue.paused);
    this.figures.hidden = !this.note.hidden;
    if (this.drawn !== queue.paused) this.note.firstElementChild.textContent = this.noteText();
    this.signin.hidden = queue.paused !== "signedOut";
    this.drawn = queue.paused;
    this.drawButtons();
    this.drawFailed();
    this.drawUploaded();
  }

  drawTitle() {
    const { uploaded, failures, total, isActive, paused } = this.queue;
    const values = { done: count(uploaded.count), total: count(total.count) };
    const text = paused ? this.texts.paused : this.texts.uploading;
    this.title.textContent = isActive ? fill(text, values) : this.summary();
    // Screen readers hear the beginning, each quarter, and what needs them.
    const quarter = Math.floor((4 * uploaded.count) / total.count);
    const state = [text, isActive, quarter, failures.size > 0].join();
    if (state !== this.announced) this.status.textContent = this.title.textContent;
    this.announced = state;
  }

  // How an upload ended.
  summary() {
    const { texts, queue } = this;
    const { count: sum, there } = queue.uploaded;
    const part = (text, number, always) => (number || always ? fill(text, { count: count(number) }) : "");
    const done = this.joined(part(texts.uploaded, sum - there, true), part(texts.there, there));
    return this.joined(done, this.unfinishedText());
  }

  // How many files failed, and how many were stopped.
  unfinishedText() {
    const { texts, queue } = this;
    const part = (text, number) => (number ? fill(text, { count: count(number) }) : "");
    const { failures, stopped } = queue;
    return this.joined(part(texts.failed, failures.size), part(texts.stopped, stopped.size));
  }

  joined(some, more) {
    return some && more ? fill(this.texts.joined, { some, more }) : some || more;
  }

  noteText() {
    return this.queue.paused === "signedOut" ? this.texts.signedOut : this.texts.brokenOff;
  }

  figuresOf({ bytes: done, speed, left }) {
    const { queue, texts } = this;
    const { total, uploaded, held, jobs, waiting } = queue;
    if (!queue.isActive) {
      if (!uploaded.count) return "";
      const time = duration((this.ended - queue.started) / 1000);
      return fill(texts.took, { total: bytes(uploaded.bytes), time });
    }
    this.ended = performance.now();
    const values = { done: bytes(done), total: bytes(total.bytes) };
    if (queue.paused) return fill(texts.amount, values);
    if (queue.wait() && !jobs.size) {
      const text = held.reason === "busy" ? texts.busy : texts.tryingAgain;
      return fill(text, { left: duration(queue.wait() / 1000) });
    }
    if (!waiting.length && !queue.unsent.length) return texts.checking;
    if (!speed || !left) return fill(texts.amount, values);
    return fill(texts.goingOn, { ...values, speed: bytes(speed), left: duration(left) });
  }

  drawButtons() {
    const { queue, buttons } = this;
    const focused = Object.values(buttons).find((button) => button === document.activeElement);
    const isWaiting = queue.waiting.length > 0;
    buttons.pause.hidden = (!isWaiting && !queue.unsent.length) || Boolean(queue.paused);
    buttons.resume.hidden = !queue.paused || !isWaiting;
    buttons.stop.hidden = !isWaiting && !queue.unsent.length;
    buttons.clear.hidden = queue.isActive;
    buttons.retryall.hidden = queue.unfinished.length < 2;
    if (focused?.hidden) this.title.focus();
  }

  // Failures, and below them what was stopped, of which rows exist only while they are unfolded.
  drawFailed() {
    const { failures, stopped, unfinished } = this.queue;
    this.failures.hidden = !unfinished.length;
    this.failures.classList.toggle("only-stopped", !failures.size);
    this.stops.hidden = !stopped.size;
    for (const [item, row] of this.rows) {
      const isShown = stopped.has(item) ? this.stops.open : failures.has(item);
      if (isShown && (failures.get(item) ?? "") === row.dataset.problem) continue;
      row.remove();
      this.rows.delete(item);
    }
    this.drawRows(this.failures, [...failures.keys()]);
    if (this.stops.open) this.drawRows(this.stops, [...stopped]);
    this.failures.querySelector("[data-count]").textContent = this.unfinishedText();
  }

  drawRows(part, items) {
    const list = part.querySelector("ul");
    for (const item of items) {
      if (list.children.length >= ROWS) break;
      if (!this.rows.has(item)) list.append(this.makeRow(item, this.queue.failures.get(item) ?? ""));
    }
    list.hidden = !items.length;
    this.drawRest(part, items.length - list.children.length);
  }

  makeRow(item, problem) {
    const row = document.getElementById("upload-failure").content.firstElementChild.cloneNode(true);
    row.dataset.problem = problem;
    row.querySelector("[data-path]").textContent = item.path;
    row.querySelector("[data-reason]").textContent = problem;
    const button = row.querySelector("button");
    button.setAttribute("aria-label", `${button.textContent}: ${item.path}`);
    button.addEventListener("click", () => this.retry([item]));
    button.hidden = !this.queue.isRetriable(item);
    this.rows.set(item, row);
    return row;
  }

  // The rows exist only while they are unfolded.
  drawUploaded() {
    const { count: sum, noted, plain } = this.queue.uploaded;
    this.successes.hidden = !sum;
    const shown = this.successes.open ? [...noted.slice(-ROWS), ...plain.slice(-ROWS)] : [];
    const rows = shown.slice(0, ROWS).map(({ path, notes }) => {
      const row = document.createElement("li");
      row.textContent = [path, ...notes].join(" · ");
      return row;
    });
    const list = this.successes.querySelector("ul");
    if (rows.length !== list.children.length || sum !== this.listed) list.replaceChildren(...rows);
    this.listed = sum;
    this.drawRest(this.successes, sum - rows.length);
  }

  drawRest(part, rest) {
    const line = part.querySelector(":scope > [data-rest]");
    line.hidden = rest <= 0;
    line.textContent = fill(this.texts.rest, { count: count(rest) });
  }
}
