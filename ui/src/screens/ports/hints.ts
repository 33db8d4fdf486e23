/** The words of the form: below a field, on an alternative, about the layer that is written, and after Apply. */
import type { IconName, Tone } from '../../lib/components/icons';
import { count } from '../../lib/format';
import type { Problem, SaveTarget, ServiceSnapshot, Snapshot } from '../../lib/wire/types';
import { layerName, targetName } from '../../lib/model/layers';
import type { PortChange } from '../../lib/model/settings';
import type { Check, Draft } from './ports.svelte';
import { isLocked } from './validate';

/** `tone` colours the words; `quiet` colours the mark only. */
export type Hint = { tone: Tone; icon: IconName; text: string; quiet?: boolean };

/** A port of the guide, with what a test said of it. */
export type Choice = { port: number; chosen: boolean; disabled: boolean; word: string | null; reason: string | null };

export type HintFacts = {
  service: ServiceSnapshot;
  changed: boolean;
  draft: Draft | undefined;
  /** A broken rule of the form. */
  wrong: string | null;
  /** Why the host refused this very text. */
  refusal: Problem | undefined;
  /** Another service that gives the port up with the same change. */
  leaver: ServiceSnapshot | null;
  check: Check | undefined;
};

export function hintFor(facts: HintFacts): Hint {
  return facts.changed ? changedHint(facts) : restingHint(facts);
}

function changedHint({ service, draft, wrong, refusal, leaver, check }: HintFacts): Hint {
  if (wrong) return { tone: 'error', icon: 's-error', text: wrong };
  if (refusal) return { tone: 'error', icon: 's-error', text: sentence(refusal) };
  const moved = draft && draft.base !== service.port.value ? ` Meanwhile changed elsewhere to ${service.port.value}.` : '';
  if (leaver) return { tone: 'run', icon: 's-run', text: `Free when ${leaver.name} moves with it.${moved}` };
  const hint = checkHint(service, check);
  const clients = hint.tone === 'run' && service.state === 'running' && service.clients > 0 ? ` ${count(service.clients, 'client has', 'clients have')} to reconnect.` : '';
  return { ...hint, text: hint.text + clients + moved };
}

function restingHint({ service, wrong, check }: HintFacts): Hint {
  if (isLocked(service)) return { tone: 'info', icon: 'lock', text: lockedText(service) };
  if (wrong) return { tone: 'error', icon: 's-error', text: wrong };
  switch (service.state) {
    case 'running':
      return { tone: 'run', icon: 's-run', text: 'In use by this instance.', quiet: true };
    case 'starting':
      return { tone: 'busy', icon: 's-busy', text: `Binding ${service.address.value}` };
    case 'blocked':
      return service.problem ? { tone: 'error', icon: 's-error', text: sentence(service.problem) } : checkHint(service, check);
    case 'stopped':
      return { ...checkHint(service, check), quiet: true };
  }
}

function checkHint(service: ServiceSnapshot, check: Check | undefined): Hint {
  if (!check || check === 'pending') return { tone: 'busy', icon: 's-busy', text: `Testing ${service.address.value}` };
  switch (check.state) {
    case 'free':
    case 'ours':
      return { tone: 'run', icon: 's-run', text: check.message };
    case 'warning':
      return { tone: 'warn', icon: 's-warn', text: check.message };
    case 'refused':
      return { tone: 'error', icon: 's-error', text: check.message };
  }
}

function lockedText(service: ServiceSnapshot): string {
  const next = service.port.shadowed[0]?.value;
  const gain = next !== undefined && next !== service.port.value ? `use ${next}` : 'edit it here';
  return `Set by ${service.variable} in the environment. Unset it and start again to ${gain}.`;
}

function sentence(problem: Problem): string {
  return problem.help ? `${problem.message} ${problem.help}` : problem.message;
}

/** The ports of the guide. One that cannot be used stays visible, with the reason. */
export function choices(service: ServiceSnapshot, typed: number | null, verdict: (port: number) => Check | undefined): Choice[] {
  return service.alternatives.map((port) => {
    const chosen = port === typed;
    const check = verdict(port);
    const known = check && check !== 'pending' && port !== service.port.value ? check : null;
    return {
      port,
      chosen,
      disabled: !chosen && (isLocked(service) || known?.state === 'refused'),
      word: known?.state === 'refused' ? 'taken' : known?.state === 'warning' ? 'with a catch' : null,
      reason: known?.state === 'refused' || known?.state === 'warning' ? known.message : null,
    };
  });
}

/** What happened, and whether it took effect. */
export function appliedText(changes: readonly PortChange[], target: SaveTarget, after: Snapshot): { text: string; effective: boolean } {
  const services = changes.flatMap((change) => after.services.filter((one) => one.service === change.service).map((service) => ({ service, port: change.port })));
  const hidden = services.find(({ service, port }) => service.port.value !== port);
  if (hidden) {
    const { service } = hidden;
    return { text: `Saved to ${targetName(target, after)}. ${service.name} stays on ${service.port.value}: ${layerName(service.port.origin)} is stronger.`, effective: false };
  }
  if (after.state === 'running') {
    const [first, ...rest] = services;
    const moves = [`${first?.service.name} moved to ${first?.port}`, ...rest.map(({ service, port }) => `${service.name} to ${port}`)];
    return { text: `${moves.join(', ')}.`, effective: true };
  }
  const values = services.map(({ service, port }) => `${service.name} ${port}`).join(', ');
  const place = target === 'this-run' ? 'For the next run' : `Saved to ${targetName(target, after)}`;
  return { text: `${place}: ${values}.`, effective: true };
}
