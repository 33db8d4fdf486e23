/** Names of the drawings in Sprite.svelte, and which drawing shows which state. */

export type IconName =
  | 'arrow'
  | 'cable'
  | 'candle'
  | 'check'
  | 'chevron'
  | 'close'
  | 'copy'
  | 'eye'
  | 'folder'
  | 'gauge'
  | 'grid'
  | 'lock'
  | 'log'
  | 'pause'
  | 'play'
  | 'plug'
  | 'plus'
  | 'refresh'
  | 'search'
  | 'shield'
  | 'square'
  | 'terminal'
  | 'trash'
  | 'undo'
  | 'updown'
  | 'wall'
  | 'wave'
  | `s-${Tone}`;

/** A state by its shape. The colour follows the shape, the word stands beside it. */
export type Tone = 'run' | 'busy' | 'warn' | 'exposed' | 'halted' | 'error' | 'stopped' | 'skipped' | 'info';
