import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // The desktop program embeds the files; a relative base works under every scheme.
  base: './',
  server: { host: '127.0.0.1', port: 1420, strictPort: true },
  build: {
    rolldownOptions: { checks: { pluginTimings: false } },
    target: 'safari17',
    // light-dark() stays as it is: rewritten for older engines it would not follow a forced theme.
    cssTarget: 'safari18',
    outDir: 'dist',
    // A data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], environment: './tools/vitest-web.ts' },
});
