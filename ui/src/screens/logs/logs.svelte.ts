/** The end of the log of one instance: following it, filtering it, pausing. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { Toasts } from '../../lib/state/toasts.svelte';
import type { LogLine, LogPage, Problem } from '../../lib/wire/types';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** As many as the program keeps. */
export const LINE_LIMIT = 10_000;
const PERIOD_MILLIS = 1_000;
const RANK: Record<LogLine['level'], number> = { trace: 0, debug: 0, info: 1, warn: 2, error: 3 };

export class LogsState {
  /** Oldest first; `null` until the first answer. */
  lines = $state.raw<LogLine[] | null>(null);
  page = $state.raw<Omit<LogPage, 'lines'> | null>(null);
  problem = $state.raw<Problem | null>(null);
  level = $state<Level>('info');
  /** Words that a line has to have, or `/regex/`. */
  filter = $state('');
  /** The part of the program; empty for all. */
  source = $state('');
  /** Whether the newest line stays in view. */
  following = $state(true);
  saving = $state(false);
  /** What is shown: what is logged, or who changed what. */
  view = $state<'live' | 'audit'>('live');

  readonly sources = $derived([...new Set(this.lines?.map(({ source }) => source) ?? [])].sort());
  readonly warnings = $derived(this.lines?.filter(({ level }) => level === 'warn').length ?? 0);
  readonly errors = $derived(this.lines?.filter(({ level }) => level === 'error').length ?? 0);
  /** Why the filter finds nothing: it is no expression. */
  readonly wrong = $derived(this.filter.startsWith('/') && expression(this.filter) === null);
  readonly shown = $derived.by<LogLine[]>(() => {
    const matches = matcher(this.filter);
    const least = RANK[this.level];
    return this.lines?.filter((line) => RANK[line.level] >= least && (this.source === '' || line.source === this.source) && matches(line)) ?? [];
  });
  /** Lines that came since somebody scrolled up. */
  readonly fresh = $derived(this.following ? 0 : this.shown.filter(({ sequence }) => sequence >= this.#left).length);

  readonly #host: InstanceHost;
  readonly #toasts: Toasts;
  /** The first line that came after somebody scrolled up. */
  #left = $state(0);
  #reading = false;

  constructor(host: InstanceHost, toasts: Toasts) {
    this.#host = host;
    this.#toasts = toasts;
  }

  /** Follows the log until the returned function is called. */
  watch(): () => void {
    this.lines = null;
    this.page = null;
    void this.read();
    const timer = setInterval(() => void this.read(), PERIOD_MILLIS);
    return () => clearInterval(timer);
  }

  /** Fetches what came since the last answer. After a failure everything is fetched again. */
  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const { lines, ...page } = await this.#host.logs(this.page?.next ?? 0);
      // The program that is asked may have started anew, and counts from the beginning.
      const restarted = this.page !== null && page.next < this.page.next;
      if (lines.length > 0 || !this.lines || restarted) this.lines = [...(restarted ? [] : (this.lines ?? [])), ...lines].slice(-LINE_LIMIT);
      if (restarted || page.next !== this.page?.next || page.level !== this.page.level || page.problem !== this.page.problem) this.page = page;
      this.problem = null;
    } catch (thrown) {
      this.lines = null;
      this.page = null;
      this.problem = asProblem(thrown);
    } finally {
      this.#reading = false;
    }
  }

  pause(): void {
    if (!this.following) return;
    this.following = false;
    this.#left = this.page?.next ?? 0;
  }

  follow(): void {
    this.following = true;
  }

  clearFilter(): void {
    this.filter = '';
    this.source = '';
    this.level = 'debug';
  }

  /** The lines that are shown, as they stand in the file. */
  text(): string {
    return this.shown.map(({ at, level, source, text }) => `${new Date(at).toISOString()} ${level.toUpperCase().padStart(5)} ${source}: ${text}`).join('\n');
  }

  async openFolder(): Promise<void> {
    try {
      await this.#host.openLogs();
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    }
  }

  async saveDiagnostics(): Promise<void> {
    this.saving = true;
    try {
      this.#toasts.done(`Saved to ${await this.#host.saveDiagnostics()}`, { label: 'Open folder', run: () => void this.openFolder() });
    } catch (thrown) {
      this.#toasts.failed(asProblem(thrown));
    } finally {
      this.saving = false;
    }
  }
}

/** `null` for what is no whole `/regex/`. */
function expression(filter: string): RegExp | null {
  const end = filter.lastIndexOf('/');
  if (end < 2) return null;
  try {
    return new RegExp(filter.slice(1, end), 'i');
  } catch {
    return null;
  }
}

function matcher(filter: string): (line: LogLine) => boolean {
  if (filter.startsWith('/')) {
    const wanted = expression(filter);
    return wanted === null ? () => false : ({ source, text }) => wanted.test(`${source}: ${text}`);
  }
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ source, text }) => {
    const line = `${source}: ${text}`.toLowerCase();
    return words.every((word) => line.includes(word));
  };
}
