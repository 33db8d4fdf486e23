import { describe, expect, it } from 'vitest';
import { firstSnapshot } from '../../lib/platform/fake-data';
import { leftBy, parsePort, usedTwice, type Entry } from './validate';

function entries(texts: Record<string, string> = {}): Entry[] {
  return firstSnapshot('stopped').services.map((service) => ({ service, text: texts[service.service] ?? String(service.port.value) }));
}

describe('parsePort', () => {
  it.each([['1', 1], ['65535', 65_535], [' 5010 ', 5010], ['08080', 8080]])('takes %j as a port', (text, port) => {
    expect(parsePort(text)).toEqual({ ok: true, port });
  });

  it.each([
    ['', 'A port is needed. Use 1 to 65535.'],
    ['  ', 'A port is needed. Use 1 to 65535.'],
    ['abc', '“abc” is not a whole number. Use 1 to 65535.'],
    ['30.5', '“30.5” is not a whole number. Use 1 to 65535.'],
    ['0x50', '“0x50” is not a whole number. Use 1 to 65535.'],
    ['0', '0 is out of range. Use 1 to 65535.'],
    ['-1', '-1 is out of range. Use 1 to 65535.'],
    ['65536', '65536 is out of range. Use 1 to 65535.'],
    ['99999999999999999999', '999999999999… is out of range. Use 1 to 65535.'],
  ])('says what is wrong with %j and what is allowed', (text, message) => {
    expect(parsePort(text)).toEqual({ ok: false, message });
  });
});

describe('usedTwice', () => {
  it('names the other service and a port that is left', () => {
    const form = entries({ 'mcp-http': '5010', 'mcp-websocket': '5010' });
    expect(usedTwice(form[1]!, form)).toBe('5010 is MCP WebSocket here. Use 3001.');
  });

  it('finds a port that another service holds unchanged', () => {
    const form = entries({ health: '9090' });
    expect(usedTwice(form[3]!, form)).toBe('9090 is Prometheus here. Use 8080.');
  });

  it('has nothing to say about four different ports', () => {
    const form = entries();
    expect(form.map((entry) => usedTwice(entry, form))).toEqual([null, null, null, null]);
  });

  it('lets two services swap their ports', () => {
    const form = entries({ 'mcp-websocket': '3001', 'mcp-http': '3000' });
    expect(form.map((entry) => usedTwice(entry, form)), 'each port is used once').toEqual([null, null, null, null]);
    expect(leftBy(form[0]!, form)?.service, 'the port becomes free with the same change').toBe('mcp-http');
  });
});
