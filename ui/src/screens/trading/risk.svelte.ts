/** What the account may lose, asked again while somebody looks. */
import { asProblem, type InstanceHost } from '../../lib/platform/host';
import { whileVisible } from '../../lib/visible';
import type { Problem, RiskFigures } from '../../lib/wire/types';

/** Samples come once a minute of the market; positions change at any time. */
const PERIOD_MILLIS = 2_000;

export class RiskState {
  figures = $state.raw<RiskFigures | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly #host: InstanceHost;

  constructor(host: InstanceHost) {
    this.#host = host;
  }

  /** Until the returned function is called. */
  watch(): () => void {
    return whileVisible(() => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let over = false;
      const look = async (): Promise<void> => {
        await this.look();
        if (!over) timer = setTimeout(() => void look(), PERIOD_MILLIS);
      };
      void look();
      return () => {
        over = true;
        clearTimeout(timer);
      };
    });
  }

  async look(): Promise<void> {
    try {
      this.figures = await this.#host.accountRisk();
      this.problem = null;
    } catch (thrown) {
      this.problem = asProblem(thrown);
    }
  }
}
