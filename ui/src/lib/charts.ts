/** From figures per second to the lines of a chart. Seconds without a figure stay gaps. */
import type { Sample } from './wire/types';

export type Point = { at: number; value: number | null };

export type Line = {
  /** Name in the legend, where there are two lines. */
  name?: string;
  points: Point[];
  dashed?: boolean;
  filled?: boolean;
  /** The value holds until the next one. */
  stepped?: boolean;
};

export type Span = { from: number; to: number };

/** Plot coordinates: x from 0 to 300, y from 0 (top) to 100. */
export const PLOT = { width: 300, height: 100 };

const SPANS_MINUTES = [2, 5, 10, 30];
const COLUMNS = 120;

/** The shortest span that holds the whole history, at most half an hour. */
export function spanOf(samples: readonly Sample[]): Span {
  const to = samples.at(-1)?.at ?? 0;
  const length = to - (samples[0]?.at ?? to);
  const minutes = SPANS_MINUTES.find((one) => length <= one * 60_000) ?? 30;
  return { from: to - minutes * 60_000, to };
}

export type Summary = 'mean' | 'highest' | 'last';

/** One point per column of the plot. A column without figures has the value `null`. */
export function columns(samples: readonly Sample[], span: Span, pick: (sample: Sample) => number | null, summary: Summary): Point[] {
  const width = Math.max(1000, (span.to - span.from) / COLUMNS);
  const buckets = new Map<number, number[]>();
  for (const sample of samples) {
    const value = pick(sample);
    // Columns lie on fixed times, so that a figure does not wander from one to the next.
    if (value !== null && sample.at >= span.from) push(buckets, Math.floor(sample.at / width), value);
  }
  const points: Point[] = [];
  for (let column = Math.floor(span.from / width); column <= Math.floor(span.to / width); column += 1) {
    const values = buckets.get(column);
    points.push({ at: Math.min(span.to, Math.max(span.from, (column + 0.5) * width)), value: values ? summarize(values, summary) : null });
  }
  return points;
}

function push(buckets: Map<number, number[]>, key: number, value: number): void {
  const values = buckets.get(key);
  if (values) values.push(value);
  else buckets.set(key, [value]);
}

function summarize(values: readonly number[], summary: Summary): number {
  if (summary === 'highest') return Math.max(...values);
  if (summary === 'last') return values.at(-1)!;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The smallest round top above the highest value whose half is round too. */
export function niceTop(highest: number, least: number): number {
  const wanted = Math.max(highest * 1.02, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 4, 6, 8, 10].find((factor) => factor * power >= wanted) ?? 10) * power;
}

export function highest(lines: readonly Line[]): number {
  return Math.max(0, ...lines.flatMap((line) => line.points.map((point) => point.value ?? 0)));
}

export type Paths = { line: string; area: string };

/** SVG paths of a line: one stroke per run of figures, none across a gap. */
export function paths(line: Line, span: Span, top: number): Paths {
  const runs = runsOf(line.points).map((run) => run.map((point) => place(point, span, top)));
  const strokes = runs.map((run) => stroke(run, line.stepped === true));
  const areas = runs.map((run, index) => `${strokes[index]}V${PLOT.height}H${round(run[0]!.x)}Z`);
  return { line: strokes.join(''), area: line.filled ? areas.join('') : '' };
}

function runsOf(points: readonly Point[]): Array<Array<{ at: number; value: number }>> {
  const runs: Array<Array<{ at: number; value: number }>> = [];
  let open: Array<{ at: number; value: number }> | null = null;
  for (const { at, value } of points) {
    if (value === null) {
      open = null;
    } else {
      if (!open) runs.push((open = []));
      open.push({ at, value });
    }
  }
  return runs;
}

function place(point: { at: number; value: number }, span: Span, top: number): { x: number; y: number } {
  return {
    x: ((point.at - span.from) / (span.to - span.from)) * PLOT.width,
    y: PLOT.height - (Math.min(point.value, top) / top) * PLOT.height,
  };
}

/** A run of one point becomes a dot: a stroke of almost no length with round ends. */
function stroke(run: ReadonlyArray<{ x: number; y: number }>, stepped: boolean): string {
  const [first, ...rest] = run;
  if (!first) return '';
  const start = `M${round(first.x)} ${round(first.y)}`;
  if (rest.length === 0) return `${start}h0.01`;
  return start + rest.map((point) => (stepped ? `H${round(point.x)}V${round(point.y)}` : `L${round(point.x)} ${round(point.y)}`)).join('');
}

const round = (value: number): number => Math.round(value * 10) / 10;
