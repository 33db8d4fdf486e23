import { describe, expect, it } from 'vitest';
import { fakeHost } from '../../lib/platform/fake';
import type { AuditPage, AuditRecord } from '../../lib/wire/types';
import { AuditState, who } from './audit.svelte';

const host = fakeHost('running').instance('default');

describe('AuditState', () => {
  it('shows the newest first, by kind and by words', async () => {
    const audit = new AuditState(host);
    expect(audit.records, 'nothing is known yet').toBeNull();
    await audit.read();
    expect(audit.shown[0]?.action).toBe('trading_disarmed');
    audit.kind = 'settings';
    expect(audit.shown.map(({ subject }) => subject)).toEqual(['log.level', 'mcp.mcp_port']);
    audit.filter = 'panel 3000';
    expect(audit.shown.map(({ subject }) => subject), 'who it was counts too').toEqual(['mcp.mcp_port']);
  });

  it('reads what is older, once', async () => {
    const record = (sequence: number): AuditRecord => ({ sequence, at: '2026-11-22T14:00:00Z', by: 'panel', action: 'setting_changed', subject: 'x', before: null, after: null, commands: [], text: '' });
    const page = async (cursor: number | null): Promise<AuditPage> => (cursor === null ? { records: [record(3), record(2)], next_cursor: 2 } : { records: [record(1)], next_cursor: null });
    const audit = new AuditState({ ...host, audit: page });
    await audit.read();
    await audit.more();
    expect([audit.records?.map(({ sequence }) => sequence), audit.cursor]).toEqual([[3, 2, 1], null]);
    await audit.read();
    expect(audit.records?.length, 'reading again begins at the newest').toBe(2);
  });

  it('keeps a failure with the way on', async () => {
    const refused = { code: 'internal' as const, message: 'The trail is gone.', field: null, help: null };
    const audit = new AuditState({ ...host, audit: async () => Promise.reject(refused) });
    await audit.read();
    expect([audit.problem, audit.records, audit.busy]).toEqual([refused, null, false]);
  });

  it('says who it was', () => {
    expect(who({ by: 'rest', scope: 'owner', from: '127.0.0.1' })).toBe('REST, owner, 127.0.0.1');
  });
});
