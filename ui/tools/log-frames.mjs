// Scrolls a log of ten thousand lines for three seconds in Chromium and prints the times between frames: npm run log-frames
import { findChromium, openScreen, resize, serveDist, withBrowser } from './browser.mjs';

/** Resolves with the times between frames in milliseconds, sorted. */
function scroll(millis) {
  return new Promise((done) => {
    const log = document.querySelector('[data-testid=log]');
    const frames = [];
    const start = performance.now();
    let last = start;
    function step(now) {
      frames.push(now - last);
      last = now;
      // Several pages for each frame, to and fro.
      log.scrollTop = ((now - start) * 40) % (log.scrollHeight - log.clientHeight);
      if (now - start < millis) requestAnimationFrame(step);
      else done(frames.slice(2).sort((one, other) => one - other));
    }
    requestAnimationFrame(step);
  });
}

const chromium = findChromium();
if (!chromium) {
  console.error('No Chromium found. Install one, or name it in the variable CHROMIUM.');
  process.exit(1);
}
const server = await serveDist();
try {
  await withBrowser(chromium, async (context) => {
    const page = await openScreen(context, server.origin, { screen: 'logs', scenario: 'many', theme: 'light' });
    await resize(page, { width: 1280, height: 800 });
    const frames = await page.evaluate(scroll, 3000);
    const rows = await page.getByTestId('log-line').count();
    const at = (share) => frames[Math.floor(frames.length * share)].toFixed(1);
    console.log(`10,000 lines, ${rows} of them in the page: ${frames.length} frames, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms`);
  });
} finally {
  server.close();
}
