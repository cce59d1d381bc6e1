// Pulls /api/state and judges how much of it is true now. Three answers exist: connecting, live, stale.

import { visible } from "./format.js";

const TIMEOUT_MS = 2000;
const PATIENCE_MS = 2400;
const CHECK_MS = 200;
const SLOWEST_MS = 2000;

export class Poller {
  constructor({ onState, onStatus }) {
    this.onState = onState;
    this.onStatus = onStatus;
    this.state = null;
    this.status = "connecting";
    this.why = "";
    this.since = null;
    this.freshAt = -Infinity;
    this.timer = 0;
  }

  start() {
    this.pull();
    setInterval(() => this.judge(), CHECK_MS);
    // A hidden page is throttled by the browser; it must not show old figures when it is seen again.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.pull();
    });
  }

  async pull() {
    clearTimeout(this.timer);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const state = await this.ask();
    if (turn !== this.turn) return; // a younger pull is under way
    if (state) this.take(state);
    this.judge();
    this.timer = setTimeout(() => this.pull(), this.interval());
  }

  interval() {
    const wanted = (this.state?.refresh ?? 0.5) * 1000;
    return Math.min(Math.max(wanted, 250), SLOWEST_MS);
  }

  async ask() {
    try {
      const answer = await fetch("api/state", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!answer.ok) throw new Error(`the telemetry process answers ${answer.status}`);
      const state = JSON.parse(await answer.text(), (_, value) => (typeof value === "string" ? visible(value) : value));
      this.why = "";
      return state;
    } catch (error) {
      this.why = error instanceof TypeError ? "the telemetry process does not answer" : explain(error);
      return null;
    }
  }

  take(state) {
    if (!state.as_of) return; // it has not looked yet
    const moved = this.state?.as_of !== state.as_of || this.state?.run?.id !== state.run?.id;
    // The age counts as well: a first answer may already be an old one.
    if (moved) this.freshAt = performance.now() - Math.max(0, state.age ?? 0) * 1000;
    this.state = state;
    this.onState(state);
  }

  judge() {
    if (!this.state) {
      this.report("connecting", this.why);
      return;
    }
    const patience = Math.max(PATIENCE_MS, (this.state.refresh ?? 0.5) * 2000 + 500);
    const late = performance.now() - this.freshAt > patience;
    if (this.state.live && !late) this.report("live", "");
    else this.report("stale", this.why || reason(this.state));
  }

  report(status, why) {
    const since = status === "stale" ? this.state.as_of : null;
    if (status === this.status && why === this.shownWhy && since === this.since) return;
    this.status = status;
    this.shownWhy = why;
    this.since = since;
    this.onStatus({ status, why, since });
  }
}

function explain(error) {
  return error.name === "TimeoutError" ? "the telemetry process takes too long to answer" : error.message;
}

function reason(state) {
  if (state.phase === "stopped") return "the run has ended";
  return state.live ? "the figures have stopped moving" : "the supervisor is gone";
}
