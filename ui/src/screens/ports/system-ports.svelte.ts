/** The table of all listening ports: reading it, filtering it, choosing whose. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { splitSocket } from '../../lib/format';
import type { ListenerRow, Problem, Protocol } from '../../lib/wire/types';

export type Whose = 'all' | 'ours' | 'foreign';

/** One program on one port, however many addresses it listens on. */
export type PortRow = {
  key: string;
  port: number;
  protocol: Protocol;
  addresses: string[];
  process: string | null;
  pid: number | null;
  user: string | null;
  unit: string | null;
  description: string | null;
  ours: boolean;
};

export class SystemPortsState {
  /** `null` until the first answer. */
  rows = $state.raw<PortRow[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  filter = $state('');
  whose = $state<Whose>('all');

  readonly ours = $derived(this.rows?.filter((row) => row.ours).length ?? 0);
  readonly total = $derived(this.rows?.length ?? 0);
  readonly shown = $derived.by<PortRow[]>(() => {
    const words = this.filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.rows ?? [];
    return rows.filter((row) => (this.whose === 'all' || row.ours === (this.whose === 'ours')) && words.every((word) => row.key.includes(word)));
  });

  readonly #host: InstanceHost;

  constructor(host: InstanceHost) {
    this.#host = host;
  }

  /** Reads the table again. After a failure the old rows stay away: they may be wrong by now. */
  async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      this.rows = mergeListeners(await this.#host.systemPorts());
      this.problem = null;
    } catch (thrown) {
      this.rows = null;
      this.problem = asProblem(thrown);
    } finally {
      this.reading = false;
    }
  }

  clearFilter(): void {
    this.filter = '';
    this.whose = 'all';
  }
}

/** Sockets of one program on one port become one row; rows stand in order of port. The key holds every word of the row. */
export function mergeListeners(listeners: readonly ListenerRow[]): PortRow[] {
  const rows = new Map<string, PortRow>();
  for (const listener of listeners) {
    const row = rowOf(listener);
    const known = rows.get(row.key);
    if (!known) rows.set(row.key, row);
    else if (!known.addresses.includes(row.addresses[0]!)) known.addresses.push(row.addresses[0]!);
  }
  for (const row of rows.values()) row.key += ` ${row.addresses.join(' ')}`.toLowerCase();
  return [...rows.values()].sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol) || (a.pid ?? 0) - (b.pid ?? 0));
}

function rowOf({ holder, protocol, ours, description }: ListenerRow): PortRow {
  const { address, port } = splitSocket(holder.address);
  const { process, pid, user, unit } = holder;
  const key = [port, protocol, process, pid, user, unit, description, ours ? 'ours' : ''].map((part) => part ?? '').join(' ').toLowerCase();
  return { key, port, protocol, addresses: [address], process, pid, user, unit, description, ours };
}
