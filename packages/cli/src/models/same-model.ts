import { CliError, ReportedFailure } from '../cli-error.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ListedModel } from './local-models.ts'

export interface AddedModel {
  readonly source: string
  readonly name: string
  readonly cruncherName: string
}

/**
 * Whether to replace the code of an existing model of that name instead of adding a model. If no flag decides, asks the user.
 * @throws CliError without a terminal; the error names the flags that decide.
 */
export async function asksForReplacement(
  added: AddedModel,
  listed: readonly ListedModel[],
  terminal: Terminal,
): Promise<boolean> {
  const { name, cruncherName, source } = added
  const same = listed.filter((model) => {
    return model.name.normalize('NFC') === name && (model.cruncherName ?? cruncherName) === cruncherName
  })
  const [first] = same
  if (first === undefined) return false
  const cause = `${cruncherName} already has ${modelsText(same)} with the name ${JSON.stringify(name)}`
  if (terminal.ask === undefined) {
    const fix = 'use --replace to replace its code, --another to add a second model with that name, or --name NAME'
    throw new CliError({ place: `crunch models add ${source}`, cause, fix })
  }
  for (;;) {
    const answer = await terminal.ask(`${cause}. Replace its code, add another model, or cancel? [r/a/c] `)
    if (/^r/i.test(answer)) return true
    if (/^a/i.test(answer)) return false
    if (/^c?$/i.test(answer) || terminal.signal.aborted) throw new ReportedFailure('ended by the operator')
  }
}

function modelsText(models: readonly ListedModel[]): string {
  return `${models.length === 1 ? 'model' : 'models'} ${models.map(({ id }) => id).join(', ')}`
}
