import { describe, expect, it, vi } from 'vitest';
import { fakeHost } from '../platform/fake';
import { firstSnapshot, NOW, sampleAt } from '../platform/fake-data';
import type { InstanceHost } from '../platform/host';
import type { InstanceEvent, Snapshot } from '../wire/types';
import { LiveSnapshot, SAMPLE_LIMIT } from './live.svelte';

function snapshot(revision: number, change: Partial<Snapshot> = {}): Snapshot {
  return { ...firstSnapshot('running'), revision, ...change };
}

function live(host: Partial<InstanceHost> = {}): LiveSnapshot {
  return new LiveSnapshot({ ...fakeHost('running').instance('default'), ...host });
}

function figures(index: number): InstanceEvent {
  const services = firstSnapshot('running').services.map(({ service }) => ({ service, clients: 5, rate: 9, requests: index, idle_seconds: 0 }));
  return { type: 'sample', data: { sample: sampleAt(index), services, market: null, trading: null, failed_logins: { count: 0, last_at: null, last_source: null }, connected: { clients: [], more: 0 } } };
}

describe('LiveSnapshot', () => {
  it('ignores a picture that is older than the one it has', () => {
    const state = live();
    state.accept(snapshot(9, { state: 'running' }));
    state.accept(snapshot(8, { state: 'stopped' }));
    expect(state.snapshot?.state, 'a late answer must not undo what was shown already').toBe('running');
  });

  it('keeps newer figures when the same revision arrives again', () => {
    const state = live();
    state.accept(snapshot(9));
    state.apply(figures(1));
    state.accept(snapshot(9));
    expect(state.snapshot?.services[0]?.clients, 'figures change without a revision and must not jump back').toBe(5);
  });

  it('fetches everything again after a gap in the revisions', async () => {
    const fetched = vi.fn(async () => snapshot(12));
    const state = live({ snapshot: fetched });
    state.accept(snapshot(9));
    state.apply({ type: 'snapshot', data: snapshot(11) });
    await vi.waitFor(() => expect(state.snapshot?.revision, 'events were missed, so the newest picture is fetched').toBe(12));
    expect(fetched).toHaveBeenCalledOnce();
  });

  it('does not fetch while the revisions follow each other', () => {
    const fetched = vi.fn(async () => snapshot(10));
    const state = live({ snapshot: fetched });
    state.accept(snapshot(9));
    state.apply({ type: 'snapshot', data: snapshot(10) });
    expect(fetched, 'an unbroken row of events is complete').not.toHaveBeenCalled();
    expect(state.snapshot?.revision).toBe(10);
  });

  it('shows two windows the same picture in whichever order the events reach them', () => {
    const [one, other] = [live(), live()];
    const pictures = [snapshot(8), snapshot(9, { state: 'stopping' }), snapshot(10, { state: 'stopped' })];
    for (const picture of pictures) one.accept(picture);
    for (const picture of [...pictures].reverse()) other.accept(picture);
    expect(other.snapshot, 'the highest revision decides, not the last arrival').toEqual(one.snapshot);
  });

  it('remembers no more than the charts can show', () => {
    const state = live();
    state.accept(snapshot(9));
    for (let index = 0; index < SAMPLE_LIMIT + 50; index += 1) state.apply(figures(index));
    expect(state.samples, 'an app that runs for weeks must not grow').toHaveLength(SAMPLE_LIMIT);
    expect(state.samples.at(-1)?.at).toBe(NOW + (SAMPLE_LIMIT + 49) * 1000);
  });

  it('counts a second once when the history contains what the events brought', async () => {
    const state = live({ history: async () => ({ samples: [sampleAt(0), sampleAt(1)], activities: [], connected: { clients: [], more: 0 } }) });
    state.apply(figures(1));
    state.apply(figures(2));
    await state.refresh();
    expect(state.samples.map((sample) => sample.at)).toEqual([NOW, NOW + 1000, NOW + 2000]);
  });

  it('says so when no events will come', async () => {
    const problem = { code: 'internal', message: 'The program is closing.', field: null, help: null } as const;
    const state = live();
    state.lost(problem);
    await state.refresh();
    expect(state.problem, 'a picture that never changes again must not look live').toEqual(problem);
  });

  it('keeps the last picture and says why when it cannot be fetched', async () => {
    const problem = { code: 'internal', message: 'The program does not answer.', field: null, help: null } as const;
    const state = live({ snapshot: () => Promise.reject(problem) });
    state.accept(snapshot(9));
    await state.refresh();
    expect(state.problem).toEqual(problem);
    expect(state.snapshot?.revision, 'an old picture with a warning helps more than an empty window').toBe(9);
  });
});
