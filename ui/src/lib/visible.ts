/** Work that is only worth its cost while somebody can see the window. */

/** Starts the work while the page is visible and ends it while it is not, until the returned function is called. */
export function whileVisible(start: () => () => void): () => void {
  let end: (() => void) | null = null;
  function follow(): void {
    if (document.hidden) {
      end?.();
      end = null;
    } else end ??= start();
  }
  document.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    document.removeEventListener('visibilitychange', follow);
    end?.();
  };
}
