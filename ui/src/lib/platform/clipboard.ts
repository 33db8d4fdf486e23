/** Copying text in a plain browser, with and without the asynchronous clipboard. */
import type { Problem } from '../wire/types';

/** Rejects with a {@link Problem} when the browser refuses. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyBySelection(text)) {
      const refused: Problem = { code: 'not_permitted', message: 'The clipboard cannot be written.', field: null, help: 'Select the text and press Ctrl C.' };
      throw refused;
    }
  }
}

/** `execCommand` is deprecated, and the only way where the page is not a secure context. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
