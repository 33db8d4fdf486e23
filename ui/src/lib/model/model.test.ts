import { describe, expect, it } from 'vitest';
import { fakeHost, type Scenario } from '../platform/fake';
import type { Layer, Snapshot } from '../wire/types';
import { answersOf } from './answers';
import { isSetTwice } from './layers';
import { markOfSecurity } from './security';
import { conflictLead, conflictTitle, holderFacts, offersFor, offersForMove } from './offers';

const picture = (scenario: Scenario): Promise<Snapshot> => fakeHost(scenario).instance('default').snapshot();

describe('a port that is set twice', () => {
  const port = async (layer: Layer, value: number) => {
    const { port } = (await picture('running')).services[0]!;
    return { ...port, shadowed: [{ value, origin: { layer, file: null, line: null, variable: null } }] };
  };

  it('is one that somebody set elsewhere to another value', async () => {
    expect(isSetTwice(await port('env-file', 4000)), 'an edit of the file would have no effect').toBe(true);
    expect(isSetTwice(await port('env-file', 3000)), 'the same value is no contradiction').toBe(false);
  });

  it('is none that hides what the program came with', async () => {
    for (const layer of ['toml', 'built-in'] as const) {
      expect(isSetTwice(await port(layer, 4000)), 'a warning that is always there is none').toBe(false);
    }
  });
});

describe('the answers', () => {
  it('says that everything runs and who reaches it', async () => {
    const answers = answersOf(await picture('running'));
    expect(answers.map((answer) => answer.answer)).toEqual(['4 of 4 services', 'No conflict', 'This computer only', '3 clients']);
  });

  it('says that nobody can connect to stopped services', async () => {
    const answers = answersOf(await picture('stopped'));
    expect(answers.map((answer) => answer.answer)).toEqual(['Stopped', 'No conflict', 'Nobody now', 'Not now']);
  });

  it('names the ports that other computers reach', async () => {
    expect(answersOf(await picture('exposed'))[2]).toMatchObject({ tone: 'exposed', evidence: '3000 and 3001 on 0.0.0.0' });
  });

  it('tells a service that refuses other computers from one that serves them', async () => {
    const snapshot = await picture('refused');
    expect(answersOf(snapshot)[2]).toMatchObject({ answer: 'This computer only', tone: 'warn', evidence: 'Others are refused on 0.0.0.0: TLS is off' });
    expect(markOfSecurity(snapshot, 0)?.word).toBe('other computers are refused');
    expect(markOfSecurity(await picture('running'), 0), 'a mark that is always there is none').toBeNull();
  });
});

describe('the ways out of a taken port', () => {
  it('recommends the first free port, and what ends something comes after every harmless way', async () => {
    const snapshot = await picture('conflict');
    const offers = offersFor(snapshot.services[0]!, snapshot, undefined);
    expect(offers.map((offer) => offer.title)).toEqual(['Use 5010 instead', 'Use 10000', 'Pick from 10000\u201310100', 'End node, pid 48213', 'Stop the systemd unit']);
    expect(offers.filter((offer) => offer.best)).toHaveLength(1);
    expect(offers[0]).toMatchObject({ best: true, act: { kind: 'move', port: 5010 } });
  });

  it('recommends the old port once it is free again', async () => {
    const snapshot = await picture('conflict');
    const check = { port: 3000, state: 'free', message: 'Free on 127.0.0.1.', held: false, suggestion: null } as const;
    const [first] = offersFor(snapshot.services[0]!, snapshot, { at: 0, check, problem: null });
    expect(first).toMatchObject({ title: 'Port 3000 is free now', best: true, act: { kind: 'start' } });
  });

  it('offers no other port where the environment decides', async () => {
    const snapshot = await picture('conflict');
    const service = snapshot.services[0]!;
    const locked = { ...service, port: { ...service.port, origin: { layer: 'environment', file: null, line: null, variable: 'MCP_SERVER_PORT' } as const } };
    const offers = offersFor(locked, snapshot, undefined);
    expect(offers.some((offer) => offer.act.kind === 'move'), 'a saved port would be shadowed').toBe(false);
    expect(offers.find((offer) => offer.title === 'Use another port')?.text).toContain('Unset it');
  });

  it('keeps a port that cannot be used, last and with the reason', async () => {
    const snapshot = await picture('conflict');
    const service = snapshot.services[0]!;
    const conflict = service.conflict!;
    const refused = { port: 10_080, state: 'warning', message: '10080 is refused by browsers, though not by curl.', held: false, suggestion: null } as const;
    const range = { ...conflict.alternatives.range, next: 10_081 };
    const offers = offersFor({ ...service, conflict: { ...conflict, alternatives: { listed: [refused], range, best: 10_081 } } }, snapshot, undefined);
    expect(offers[0]).toMatchObject({ title: 'Use 10081 instead', best: true, text: 'Next free of 10000\u201310100. Saved to ports.env.' });
    expect(offers.find((offer) => offer.title === 'Use 10080')).toMatchObject({ act: { kind: 'none' }, text: `Not offered: ${refused.message}` });
  });

  it('shows an instance of ours instead of moving away from it', async () => {
    const snapshot = await picture('conflict');
    const service = snapshot.services[0]!;
    const owner = { kind: 'other_instance', instance: 'desk', nonce: '00ff', pid: 99 } as const;
    const ours = { ...service, conflict: { ...service.conflict!, owner } };
    expect(conflictTitle(ours)).toBe('Port 3000 is held by instance desk');
    expect(offersFor(ours, snapshot, undefined)[0]).toMatchObject({ title: 'Show desk', best: true, act: { kind: 'show', instance: 'desk' } });
  });

  it('offers to end the holder, and says so where that is not possible', async () => {
    const service = (await picture('conflict')).services[0]!;
    const [unit, process] = offersForMove(service).filter((offer) => offer.title.startsWith('Stop') || offer.title.startsWith('End')).reverse();
    expect(process).toMatchObject({ title: 'End node, pid 48213', act: { kind: 'release' } });
    expect(process?.best, 'ending something is never the recommendation').toBeUndefined();
    expect(unit).toMatchObject({ act: { kind: 'none' }, text: 'Not offered: pid 48213 belongs to no unit.' });
  });

  it('says whether the other ports could be had', async () => {
    const snapshot = await picture('conflict');
    const service = snapshot.services[0]!;
    expect(conflictLead(service, snapshot)).toBe('MCP WebSocket cannot start. The other three ports are free. Nothing was changed.');
    const worse = { ...service, conflict: { ...service.conflict!, also_taken: [snapshot.services[3]!.service] } };
    expect(conflictLead(worse, snapshot)).toBe('MCP WebSocket cannot start. Health check cannot have its port either. Nothing was changed.');
  });

  it('tells what is known of the holder', async () => {
    const { conflict } = (await picture('conflict')).services[0]!;
    const facts = holderFacts(3000, conflict!, conflict!.holder!);
    expect(facts.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      'Port: 3000 TCP', 'Addresses: 0.0.0.0 and [::]', 'Process: node, pid 48213', 'Command: node server.js --port 3000', 'User: you', 'systemd unit: None',
      'Started: 12:47, 1 h 15 min ago', 'Whose: Foreign. It did not answer as a CWTS instance.', 'Clients: 2 connected, both from this computer',
    ]);
  });

  it('says so when only root may see the holder', async () => {
    const service = (await picture('conflict')).services[0]!;
    const holder = { pid: null, process: null, user: 'root', unit: null, address: '[::]:3000' };
    const conflict = { ...service.conflict!, holder, command: null, started_at: null };
    expect(conflictTitle({ ...service, conflict })).toBe('Port 3000 is held by root; details need root');
    expect(holderFacts(3000, conflict, holder).find((fact) => fact.name === 'Process')?.value).toBe('Held by root; details need root.');
  });
});
