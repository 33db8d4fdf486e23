// Scrolls a log of ten thousand lines for three seconds in Chromium and prints the times between frames: npm run log-frames
import { told, watched } from './frames.mjs';

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

await watched({ screen: 'logs', scenario: 'many' }, async (page) => {
  const frames = await page.evaluate(scroll, 3000);
  const rows = await page.getByTestId('log-line').count();
  console.log(`10,000 lines, ${rows} of them in the page: ${told(frames)}`);
});
