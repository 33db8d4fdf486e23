// A screen in a headless Chromium whose frames are watched. Knows no screen; log-frames.mjs and desk-frames.mjs do.
import { findChromium, openScreen, resize, serveDist, withBrowser } from './browser.mjs';

/** Opens the view and hands its page to `work`. */
export async function watched(view, work) {
  const chromium = findChromium();
  if (!chromium) {
    console.error('No Chromium found. Install one, or name it in the variable CHROMIUM.');
    process.exit(1);
  }
  const server = await serveDist();
  try {
    await withBrowser(chromium, async (context) => {
      const page = await openScreen(context, server.origin, { theme: 'light', ...view });
      await resize(page, { width: 1280, height: 800 });
      await work(page);
    });
  } finally {
    server.close();
  }
}

/** `169 frames, median 16.7 ms, 95 % within 16.8 ms`, of the sorted times between them. */
export function told(frames) {
  const at = (share) => frames[Math.floor(frames.length * share)].toFixed(1);
  return `${frames.length} frames, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms`;
}
