// Compiles the state classes as the webview runs them; vitest's own node environment would compile them for a server.
import type { Environment } from 'vitest/runtime';

const environment: Environment = {
  name: 'web',
  viteEnvironment: 'client',
  setup: () => ({ teardown: () => {} }),
};

export default environment;
