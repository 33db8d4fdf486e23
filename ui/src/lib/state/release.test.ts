import { describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../platform/fake';
import type { InstanceHost } from '../platform/host';
import type { WayOut } from '../wire/types';
import { ReleaseControl } from './release.svelte';
import { Toasts } from './toasts.svelte';

const END: WayOut = {
  title: 'End node, pid 48213',
  action: 'End node',
  detail: 'Sends SIGTERM and waits 5 s.',
  release: { kind: 'process', pid: 48_213, force: false },
  command: null,
};

function open(freePort: InstanceHost['freePort']) {
  const host: InstanceHost = { ...fakeHost('conflict').instance('default'), freePort };
  const toasts = new Toasts();
  const then = vi.fn();
  const control = new ReleaseControl(host, toasts);
  control.ask('mcp-websocket', 3000, END, then);
  return { control, toasts, then };
}

describe('ReleaseControl', () => {
  it('asks before anything is ended, and goes on when it was', async () => {
    const freePort = vi.fn<InstanceHost['freePort']>(async () => 'ended');
    const { control, then } = open(freePort);
    expect(control.question).toEqual({ title: 'End node, pid 48213?', text: 'Sends SIGTERM and waits 5 s.', act: 'End node' });
    expect(freePort, 'a question ends nothing').not.toHaveBeenCalled();
    await control.confirm();
    expect(freePort).toHaveBeenCalledExactlyOnceWith('mcp-websocket', 3000, END.release);
    expect(then).toHaveBeenCalledOnce();
    expect(control.question).toBeNull();
  });

  it('asks a second time before SIGKILL', async () => {
    const freePort = vi.fn<InstanceHost['freePort']>(async (_, __, release) => (release.kind === 'process' && release.force ? 'ended' : 'still_running'));
    const { control, then } = open(freePort);
    await control.confirm();
    expect(then, 'the port is still held').not.toHaveBeenCalled();
    expect(control.question).toMatchObject({ title: 'Kill node, pid 48213?', act: 'Kill node' });
    await control.confirm();
    expect(freePort).toHaveBeenLastCalledWith('mcp-websocket', 3000, { kind: 'process', pid: 48_213, force: true });
    expect(then).toHaveBeenCalledOnce();
  });

  it('ends nothing when the person keeps it', async () => {
    const freePort = vi.fn<InstanceHost['freePort']>(async () => 'ended');
    const { control } = open(freePort);
    control.keep();
    await control.confirm();
    expect(freePort).not.toHaveBeenCalled();
  });

  it('follows nothing up that the person has turned away from', async () => {
    let answer: (released: 'ended') => void = () => {};
    const { control, then } = open(() => new Promise((done) => (answer = done)));
    const confirmed = control.confirm();
    control.keep();
    answer('ended');
    await confirmed;
    expect(then, 'a start that nobody waits for would surprise').not.toHaveBeenCalled();
  });

  it('says why nothing was ended', async () => {
    const problem = { code: 'wrong_state', message: 'pid 48213 does not listen on 127.0.0.1:3000.', field: null, help: 'Check the port again.' } as const;
    const { control, toasts, then } = open(() => Promise.reject(problem));
    await control.confirm();
    expect(toasts.items[0]).toMatchObject({ tone: 'error', text: expect.stringContaining('does not listen') });
    expect(then).not.toHaveBeenCalled();
    expect(control.question).toBeNull();
  });

  it('opens no question about a way that is not offered', () => {
    const control = new ReleaseControl(fakeHost('conflict').instance('default'), new Toasts());
    control.ask('mcp-websocket', 3000, { ...END, release: null }, () => {});
    expect(control.question).toBeNull();
  });
});
