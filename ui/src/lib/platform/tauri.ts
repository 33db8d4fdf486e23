/** The host behind the desktop window: each method is one command of the program. */
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { InstanceEvent, ListenerRow, PortCheck, Snapshot } from '../wire/types';
import { copyText } from './clipboard';
import { asProblem, type History, type Host } from './host';

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(command, args);
  } catch (thrown) {
    throw asProblem(thrown);
  }
}

export function tauriHost(): Host {
  return {
    snapshot: () => call<Snapshot>('snapshot'),
    history: () => call<History>('history'),
    start: async () => void (await call('start')),
    stop: async () => void (await call('stop')),
    setPorts: (edit) => call<Snapshot>('set_ports', { edit }),
    checkPort: (service, port) => call<PortCheck>('check_port', { service, port }),
    systemPorts: () => call<ListenerRow[]>('system_ports'),
    subscribe(listener, onlost) {
      const channel = new Channel<InstanceEvent>();
      channel.onmessage = listener;
      call('subscribe', { channel }).catch((thrown: unknown) => onlost?.(asProblem(thrown)));
      return () => {
        channel.onmessage = () => {};
      };
    },
    onCloseRequested(listener) {
      const unlisten = listen('close-requested', () => listener());
      return () => void unlisten.then((end) => end());
    },
    quit: async () => void (await call('quit')),
    copy: copyText,
  };
}
