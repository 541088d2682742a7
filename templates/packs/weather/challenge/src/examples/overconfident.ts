import { Persistence } from './persistence.ts'

/** Tomorrow is like today, and nothing else is thought possible: a right centre with a dishonest spread. */
export class Overconfident extends Persistence {
  protected override spread(): number {
    return 0.1
  }
}
