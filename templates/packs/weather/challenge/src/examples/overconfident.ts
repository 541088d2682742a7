import { Persistence } from './persistence.ts'

/** Predicts today's maximum with far too small a spread: a good centre with false confidence. */
export class Overconfident extends Persistence {
  protected override spread(): number {
    return 0.1
  }
}
