import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { reportContract } from '../src/live/report-contract.ts'
import { webConfig, webConfigFiles, webConfigFolder } from '../src/report/web-config/web-config.ts'
import { openPack, packs } from './pack-contract.ts'

// Writes the files of the templates from their contracts, with -u.
test.each(Object.keys(packs) as (keyof typeof packs)[])(
  'the %s pack has the configuration of its contract',
  async (pack) => {
    const { contract, remove } = await openPack(pack)
    onTestFinished(remove)
    // The scaffolder replaces the name of the template by that of the workspace.
    const files = webConfig(reportContract(contract, ''), 'crunch-template')
    for (const file of webConfigFiles) {
      // The settings do not depend on the contract, so the packs have those of the base.
      if (pack !== 'realtime' && file === 'global-settings.json') continue
      const text = `${JSON.stringify(files[file], null, 2)}\n`
      await expect(text).toMatchFileSnapshot(join(packs[pack], 'node', webConfigFolder, file))
    }
  },
)
