import { describe, expect, it } from 'vitest';
import { editable, formatQuantity, formatSteps, money, notional, parseSteps, percent, signedMoney } from './decimal';

describe('decimals', () => {
  it('read what a person types, exactly', () => {
    expect(parseSteps('64,180.5', 2).steps).toBe(6_418_050);
    expect(parseSteps(' 0.05 ', 4).steps).toBe(500);
    expect(parseSteps('.5', 2).steps).toBe(50);
    expect(parseSteps('7.', 2).steps).toBe(700);
    // 1.005 * 100 is 100.49999999999999 in floating point.
    expect(parseSteps('1.005', 3).steps).toBe(1005);
    expect(parseSteps('0.0001000', 4).steps).toBe(1);
  });

  it('say why a text is none', () => {
    for (const text of ['abc', '-1', '+1', '1e3', '1,00', '1.2.3', '.', '6 4', 'NaN']) expect(parseSteps(text, 2).fault, text).toBe('number');
    expect(parseSteps('', 2).fault).toBe('empty');
    expect(parseSteps('1.001', 2).fault).toBe('step');
    expect(parseSteps('99999999999999999999', 2).fault).toBe('large');
  });

  it('are written as people read them', () => {
    expect(formatSteps(6_418_050, 2)).toBe('64,180.50');
    expect(formatSteps(-5, 2)).toBe('−0.05');
    expect(formatQuantity(500, 4)).toBe('0.05');
    expect(formatQuantity(15_000, 4)).toBe('1.50');
    expect(formatQuantity(301, 4)).toBe('0.0301');
    expect(money(87_576.375)).toBe('87,576.38');
    expect(signedMoney(38.4)).toBe('+38.40');
    expect(signedMoney(-0.001)).toBe('0.00');
    expect(percent(0.1284)).toBe('12.8 %');
  });

  it('survive the way into a field and back', () => {
    for (const steps of [1, 10, 99, 100, 6_418_050, 1_000_000_000]) expect(parseSteps(editable(steps, 2), 2).steps).toBe(steps);
  });

  it('multiply without loss', () => {
    expect(notional(1_000_000_000, 10_000_000)).toBe(10_000_000_000_000_000n);
  });
});
