/** What was just done, said for a few seconds. Errors stay until they are closed. */
import type { Problem } from '../wire/types';

export type Toast = {
  id: number;
  tone: 'run' | 'warn' | 'error';
  text: string;
  action?: { label: string; run: () => void };
};

export const TOAST_LIMIT = 3;
const SHOWN_MILLIS = 6_000;
const SHOWN_WITH_ACTION_MILLIS = 10_000;

export class Toasts {
  /** Oldest first, at most {@link TOAST_LIMIT}. */
  items = $state.raw<Toast[]>([]);

  #last = 0;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  done(text: string, action?: Toast['action']): void {
    this.#show({ tone: 'run', text, action });
  }

  warn(text: string): void {
    this.#show({ tone: 'warn', text });
  }

  /** The problem and its remedy in one breath. */
  failed(problem: Problem, action?: Toast['action']): void {
    this.#show({ tone: 'error', text: problem.help ? `${problem.message} ${problem.help}` : problem.message, action });
  }

  close(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  /** While somebody reads or points at it, a toast does not leave. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(id: number): void {
    const toast = this.items.find((one) => one.id === id);
    if (toast) this.#expire(toast);
  }

  #show(content: Omit<Toast, 'id'>): void {
    this.#last += 1;
    const toast: Toast = { id: this.#last, ...content };
    while (this.items.length >= TOAST_LIMIT) this.close((this.items.find((one) => one.tone !== 'error') ?? this.items[0]!).id);
    this.items = [...this.items, toast];
    this.#expire(toast);
  }

  #expire(toast: Toast): void {
    if (toast.tone === 'error') return;
    const millis = toast.action ? SHOWN_WITH_ACTION_MILLIS : SHOWN_MILLIS;
    this.#timers.set(toast.id, setTimeout(() => this.close(toast.id), millis));
  }
}
