/** The audit trail of one instance: who changed what, the newest first, a page at a time. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import type { Actor, AuditRecord, Problem } from '../../lib/wire/types';

const PAGE = 100;

export type Kind = 'all' | 'settings' | 'access' | 'trading';

const KINDS: Record<AuditRecord['action'], Exclude<Kind, 'all'>> = {
  token_made: 'access', token_replaced: 'access', certificate_made: 'access', certificate_imported: 'access', certificate_renewed: 'access', certificate_removed: 'access',
  network_judged: 'access', reach_widened: 'access', reach_narrowed: 'access', remote_refused: 'access', login_failed: 'access', firewall_applied: 'access', firewall_undone: 'access',
  trading_armed: 'trading', trading_disarmed: 'trading', trading_halted: 'trading', trading_reduced: 'trading', trading_resumed: 'trading', limit_changed: 'trading', account_reset: 'trading', traded_by_hand: 'trading', setting_changed: 'settings', settings_restored: 'settings',
};

export class AuditState {
  /** Newest first; `null` until the first answer. */
  records = $state.raw<AuditRecord[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  kind = $state<Kind>('all');
  /** Words that an entry has to have. */
  filter = $state('');
  /** Something is being fetched. */
  busy = $state(false);
  /** Where what is older begins; `null` at the end. */
  cursor = $state.raw<number | null>(null);

  readonly shown = $derived.by<AuditRecord[]>(() => {
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (record: AuditRecord): boolean => {
      const text = `${record.subject} ${record.text} ${who(record)} ${record.commands?.join(' ') ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    return this.records?.filter((record) => (this.kind === 'all' || KINDS[record.action] === this.kind) && has(record)) ?? [];
  });

  readonly #host: InstanceHost;

  constructor(host: InstanceHost) {
    this.#host = host;
  }

  /** Fetches the newest entries. */
  read(): Promise<void> {
    return this.#fetch(null);
  }

  /** Fetches what is older. */
  more(): Promise<void> {
    return this.#fetch(this.cursor);
  }

  async #fetch(cursor: number | null): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const { records, next_cursor } = await this.#host.audit(cursor, PAGE);
      this.records = cursor === null ? records : [...(this.records ?? []), ...records];
      this.cursor = next_cursor;
      this.problem = null;
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.busy = false;
    }
  }
}

/** Who did it, in words. */
export function who(actor: Actor): string {
  switch (actor.by) {
    case 'panel':
      return 'Panel';
    case 'command-line':
      return 'Command line';
    case 'rest':
      return `REST, ${actor.scope}, ${actor.from}`;
    case 'mcp':
      return `MCP, ${actor.scope}, ${actor.from}`;
    case 'hand-edit':
      return 'Edit of a file';
    case 'program':
      return 'CWTS Ultra';
  }
}
