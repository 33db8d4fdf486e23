/** The log of one instance in memory. */
import type { LogLine, LogPage } from '../wire/types';
import { NOW, type Member } from './fake-data';

const TEXTS: [number, LogLine['level'], string, string][] = [
  [1_950, 'info', 'activity', 'All four services started'],
  [1_190, 'info', 'activity', 'my-agent connected on 3000'],
  [900, 'debug', 'net', 'connection ended early peer=127.0.0.1:51844'],
  [300, 'warn', 'runtime', 'the configuration was edited and is not in force: ports.env line 4: HEALTH_CHECK_PORT=80 needs root. Use 1024 to 65535.'],
  [220, 'info', 'activity', 'Claude Code connected on 3001'],
  [60, 'error', 'server', 'metrics cannot be encoded'],
  [30, 'info', 'activity', 'Filled: order 7 buy 0.05 BTCUSD at 64182.50'],
];

export class FakeLogs {
  readonly #file: string;
  readonly #lines: LogLine[];

  constructor({ id, scenario }: Member) {
    this.#file = `/home/you/.local/cwts-ultra/logs/${id}.log`;
    const line = (sequence: number, [ago, level, source, text]: (typeof TEXTS)[number]): LogLine => ({ sequence, at: NOW - ago * 1000 + 7, level, source, text });
    const many = Array.from({ length: 10_000 }, (_, index) => line(index, [10_000 - index, index % 97 === 0 ? 'warn' : 'info', 'activity', `Filled: order ${index} buy 0.05 BTCUSD at 64182.50`]));
    this.#lines = scenario === 'empty' ? [] : scenario === 'many' ? many : TEXTS.map((text, index) => line(index, text));
  }

  page(after: number): LogPage {
    return { lines: this.#lines.slice(after), next: this.#lines.length, file: this.#file, level: 'info', problem: null };
  }

  /** One more line. */
  add(text: string): void {
    this.#lines.push({ sequence: this.#lines.length, at: NOW, level: 'info', source: 'activity', text });
  }
}
