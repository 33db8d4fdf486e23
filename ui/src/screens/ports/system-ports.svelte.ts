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
    const found = this.whose === 'all' && words.length === 0 ? rows : rows.filter((row) => (this.whose === 'all' || row.ours === (this.whose === 'ours')) && words.every((word) => row.key.includes(word)));
    return sorted(found, this.sort);
  });

  readonly #host: Host;
  #end: (() => void) | null = null;
  #merged = new MergedListeners([]);

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
      this.problem = news.type === 'problem' ? news.data : null;
      if (news.type === 'rows') this.#merged = new MergedListeners(news.data);
      else if (news.type === 'changed') this.#merged.change(news.data.gone, news.data.come);
      this.rows = news.type === 'problem' ? null : this.#merged.rows();
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

/**
 * Sockets of one program on one port as one row; rows stand in order of port. A change costs what it touches and one walk
 * over the rows.
 */
export class MergedListeners {
  readonly #groups = new Map<string, ListenerRow[]>();
  readonly #rows = new Map<string, PortRow>();

  constructor(listeners: readonly ListenerRow[]) {
    this.change([], listeners);
  }

  change(gone: readonly ListenerRow[], come: readonly ListenerRow[]): void {
    const touched = new Set<string>();
    for (const listener of gone) {
      const key = rowOf(listener).key;
      const left = (this.#groups.get(key) ?? []).filter((one) => one.holder.address !== listener.holder.address);
      if (left.length > 0) this.#groups.set(key, left);
      else this.#groups.delete(key);
      touched.add(key);
    }
    for (const listener of come) {
      const key = rowOf(listener).key;
      const group = this.#groups.get(key);
      if (group) group.push(listener);
      else this.#groups.set(key, [listener]);
      touched.add(key);
    }
    for (const key of touched) {
      const group = this.#groups.get(key);
      if (group) this.#rows.set(key, merge(group));
      else this.#rows.delete(key);
    }
  }

  rows(): PortRow[] {
    return [...this.#rows.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : (a.pid ?? 0) - (b.pid ?? 0)));
  }
}

/** The key of the row holds every word of it. */
function merge(group: readonly ListenerRow[]): PortRow {
  const rows = group.map(rowOf);
  const addresses = [...new Set(rows.flatMap((row) => row.addresses))];
  return { ...rows[0]!, addresses, key: `${rows[0]!.key} ${addresses.join(' ')}`.toLowerCase() };
}

function rowOf({ holder, protocol, ours, description, v6only }: ListenerRow): PortRow {
  const { address, port } = splitSocket(holder.address);
  const { process, pid, user, unit } = holder;
  const key = [port, protocol, process, pid, user, unit, description, ours ? 'ours' : ''].map((part) => part ?? '').join(' ').toLowerCase();
  return { key, port, protocol, addresses: [v6only && address === '[::]' ? '[::] IPv6 only' : address], process, pid, user, unit, description, ours };
}
