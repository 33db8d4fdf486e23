/** A taken port of the fake host, with everything that a card may show. */
import type { Alternatives, Conflict, Holder, ListenerRow, WayOut } from '../wire/types';
import { NOW } from './fake-data';

export function holderName({ process, pid, user }: Holder): string {
  return process === null ? `${user}; details need root` : `${process}, pid ${pid}, user ${user}`;
}

export function conflictWith({ holder }: ListenerRow, alternatives: Alternatives): Conflict {
  const hidden = holder.pid === null;
  return {
    holder,
    addresses: [holder.address, `[::]:${holder.address.slice(holder.address.lastIndexOf(':') + 1)}`],
    owner: { kind: 'foreign', instance: null, nonce: null, pid: holder.pid },
    command: hidden ? null : `${holder.process} server.js --port 3000`,
    started_at: hidden ? null : NOW - 75 * 60_000,
    clients: 2,
    local_clients: 2,
    checked_at: NOW,
    also_taken: [],
    alternatives,
    ways: [unitWay(holder), processWay(holder)],
  };
}

const LOSSES = 'Its 2 clients lose their connection and are not ended.';

function unitWay({ unit, pid, address }: Holder): WayOut {
  const title = unit ? `Stop ${unit}` : 'Stop the systemd unit';
  if (!unit) return { title, action: title, detail: `pid ${pid} belongs to no unit.`, release: null, command: null };
  const detail = `Asks systemd to stop the unit, with a password where that is needed. ${LOSSES}`;
  return { title, action: title, detail, release: { kind: 'unit', name: unit }, command: `cwts-ultra ports free ${address} --unit` };
}

function processWay({ process, pid, user, address }: Holder): WayOut {
  const command = `cwts-ultra ports free ${address} --kill`;
  if (pid === null) {
    const title = `End the process of ${user}`;
    return { title, action: title, detail: 'it needs root.', release: null, command: `sudo ${command}` };
  }
  const detail = `Sends SIGTERM and waits 5 s. ${LOSSES}`;
  return { title: `End ${process}, pid ${pid}`, action: `End ${process}`, detail, release: { kind: 'process', pid, force: false }, command };
}
