/** The log of one instance in memory. */
import type { Actor, AuditPage, AuditRecord, LogLine, LogPage } from '../wire/types';
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

/** The audit trail, oldest first. */
const TRAIL: [number, Actor, AuditRecord['action'], string, string][] = [
  [86_400, { by: 'program' }, 'token_made', 'trade', 'The trade token was made.'],
  [7_200, { by: 'panel' }, 'setting_changed', 'mcp.mcp_port', 'mcp.mcp_port was changed from 3010 to 3000.'],
  [3_600, { by: 'hand-edit' }, 'setting_changed', 'log.level', 'log.level was changed from debug to info.'],
  [1_800, { by: 'program' }, 'login_failed', '127.0.0.1', '3 wrong tokens were presented, the latest from 127.0.0.1.'],
  [600, { by: 'command-line' }, 'firewall_applied', 'ufw', '2 firewall rules were added with ufw.'],
  [120, { by: 'rest', scope: 'owner', from: '127.0.0.1' }, 'trading_disarmed', 'trading', 'Trading was disarmed: no orders while other computers are served.'],
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

  audit(cursor: number | null, limit: number): AuditPage {
    const all = this.#lines.length === 0 ? [] : TRAIL;
    const records = all.map(([ago, actor, action, subject, text], index): AuditRecord => ({ sequence: index + 1, at: new Date(NOW - ago * 1000).toISOString(), ...actor, action, subject, before: null, after: null, commands: action === 'firewall_applied' ? ['ufw prepend allow proto tcp from 192.168.1.0/24 to any port 3000'] : [], text }));
    const older = records.reverse().filter(({ sequence }) => cursor === null || sequence < cursor);
    const page = older.slice(0, limit);
    return { records: page, next_cursor: older.length > limit ? (page.at(-1)?.sequence ?? null) : null };
  }

  /** One more line. */
  add(text: string): void {
    this.#lines.push({ sequence: this.#lines.length, at: NOW, level: 'info', source: 'activity', text });
  }
}
