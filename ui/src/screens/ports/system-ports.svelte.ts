/** The table of all listening ports: following it, filtering it, sorting it, choosing whose. */
import type { Host } from '../../lib/platform/host';
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

export type Sort = { column: string; ascending: boolean };

export class SystemPortsState {
  /** `null` until the first answer. */
  rows = $state.raw<PortRow[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  filter = $state('');
  whose = $state<Whose>('all');
  sort = $state.raw<Sort>({ column: 'port', ascending: true });

  readonly ours = $derived(this.rows?.filter((row) => row.ours).length ?? 0);
  readonly total = $derived(this.rows?.length ?? 0);
  readonly shown = $derived.by<PortRow[]>(() => {
    const words = this.filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.rows ?? [];
    const found = rows.filter((row) => (this.whose === 'all' || row.ours === (this.whose === 'ours')) && words.every((word) => row.key.includes(word)));
    return sorted(found, this.sort);
  });

  readonly #host: Host;
  #end: (() => void) | null = null;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Follows the system until the returned function is called. */
  watch(): () => void {
    this.refresh();
    return () => {
      this.#end?.();
      this.#end = null;
    };
  }

  /** Reads everything anew, and follows from there. After a failure the old rows stay away: they may be wrong by now. */
  refresh(): void {
    const old = this.#end;
    this.reading = true;
    this.#end = this.#host.watchPorts((news) => {
      this.reading = false;
      this.rows = news.type === 'rows' ? mergeListeners(news.data) : null;
      this.problem = news.type === 'problem' ? news.data : null;
    });
    old?.();
  }

  /** Sorts by the column; a second time the other way round. */
  sortBy(column: string): void {
    this.sort = { column, ascending: this.sort.column === column ? !this.sort.ascending : true };
  }

  clearFilter(): void {
    this.filter = '';
    this.whose = 'all';
  }
}

/** What a column is sorted by. */
function sortKey(row: PortRow, column: string): number | string | null {
  switch (column) {
    case 'protocol':
      return row.protocol;
    case 'address':
      return row.addresses[0] ?? null;
    case 'process':
    case 'user':
    case 'unit':
    case 'description':
      return row[column]?.toLowerCase() ?? null;
    case 'pid':
      return row.pid;
    default:
      return row.port;
  }
}

/** Rows without a value come last either way; equal ones stay in the order of the ports. */
function sorted(rows: PortRow[], { column, ascending }: Sort): PortRow[] {
  if (column === 'port') return ascending ? rows : rows.toReversed();
  const keyed = rows.map((row) => ({ row, key: sortKey(row, column) }));
  keyed.sort(({ key: a }, { key: b }) => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? 1 : -1;
    return (a < b ? -1 : 1) * (ascending ? 1 : -1);
  });
  return keyed.map(({ row }) => row);
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

function rowOf({ holder, protocol, ours, description, v6only }: ListenerRow): PortRow {
  const { address, port } = splitSocket(holder.address);
  const { process, pid, user, unit } = holder;
  const key = [port, protocol, process, pid, user, unit, description, ours ? 'ours' : ''].map((part) => part ?? '').join(' ').toLowerCase();
  return { key, port, protocol, addresses: [v6only && address === '[::]' ? '[::] IPv6 only' : address], process, pid, user, unit, description, ours };
}
