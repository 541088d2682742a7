import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { OrchestratorError } from '../errors.ts'
import { quarantineFileIn } from '../run/quarantine-memory.ts'
import type { OrchestratorSettings } from '../start-orchestrator.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { openOrchestratorKey } from './orchestrator-key.ts'
import { collectSettings, SETTINGS, type SettingValues, type Ways } from './settings.ts'

/** The settings of `start`. */
export interface StartSettings {
  readonly logLevel: SettingValues['logLevel']
  /** One sentence for each key of the file without effect here. */
  readonly ignored: readonly string[]
  readonly orchestrator: Omit<OrchestratorSettings, 'log' | 'runnerCommand'>
}

/** Declares `start` with a flag for each setting that has one. */
export function addStartCommand(program: Command): Command {
  const start = program
    .command('start')
    .description('runs every RUNNING entry of the models file until SIGTERM or SIGINT')
  collectSettings((setting, ways) => {
    if (ways.flag !== undefined) start.addOption(optionOf(ways.flag, setting, ways))
  })
  return start
}

function optionOf(flag: string, setting: z.ZodType, { description, env, file }: Ways): Option {
  const option = new Option(flag, file === undefined ? description : `${description} (file: ${file})`)
  const type = setting instanceof z.ZodDefault || setting instanceof z.ZodOptional ? setting.unwrap() : setting
  if (setting instanceof z.ZodDefault) option.default(setting.parse(undefined))
  if (env !== undefined) option.env(env)
  if (type instanceof z.ZodEnum) return option.choices(type.options.map(String))
  if (type instanceof z.ZodArray) return option.argParser<readonly string[]>((text, before) => [...before, text])
  return option.argParser((text) => {
    const parsed = parseText(setting, text)
    if (parsed.success) return parsed.data
    throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'is not allowed')
  })
}

/** Parses text as a string, or as a number if the setting needs one. */
function parseText(setting: z.ZodType, text: string) {
  const parsed = setting.safeParse(text)
  return parsed.success || !/^\d+(\.\d+)?$/.test(text) ? parsed : setting.safeParse(Number(text))
}

/** Reads each setting from the flag, the environment, the file or its default, in this order. Throws `SETTINGS_INVALID`. */
export async function readStartSettings(command: Command): Promise<StartSettings> {
  const path: unknown = command.getOptionValue('config')
  const file = typeof path === 'string' ? await readConfigFile(path) : null
  const missing: string[] = []
  const given = collectSettings((setting, ways) => {
    const value = chosenValue(command, ways) ?? file?.values.get(setting)
    if (value === undefined && !setting.safeParse(undefined).success) {
      missing.push(`${ways.flag} is missing; give it, or ${ways.file} in the file of --config`)
    }
    return value
  })
  if (missing.length > 0) throw new OrchestratorError('SETTINGS_INVALID', missing.join('; '))
  const values = SETTINGS.parse(given)
  const { submissionsDirectory, logsDirectory, http, python, apiKey, remembersQuarantine } = values
  const ownDirectory = logsDirectory ?? submissionsDirectory
  return {
    logLevel: values.logLevel,
    ignored: file?.ignored ?? [],
    orchestrator: {
      ...values,
      ...(file !== null && crunchOf(file, given.crunchId)),
      http: http.port === 'off' ? undefined : { host: http.host, port: http.port },
      python: { ...python, allowBuilds: python.allowBuilds === 'true' },
      apiKey: apiKey ?? openOrchestratorKey(ownDirectory),
      quarantineFile: remembersQuarantine ? quarantineFileIn(ownDirectory) : undefined,
    },
  }
}

/** The value of the flag or the variable. An empty variable of a setting without a flag counts as unset. */
function chosenValue(command: Command, { flag, env }: Ways): unknown {
  if (flag === undefined) return (env !== undefined && process.env[env]?.trim()) || undefined
  const name = new Option(flag).attributeName()
  const isChosen = ['cli', 'env'].includes(command.getOptionValueSource(name) ?? '')
  return isChosen ? command.getOptionValue(name) : undefined
}

/** One orchestrator serves one competition; --crunch-id is required if the file contains several. */
function crunchOf({ path, crunches }: ConfigFile, chosenId: unknown) {
  const found = crunches.find(({ id }) => (chosenId === undefined ? crunches.length === 1 : id === chosenId))
  if (found !== undefined) return { crunchId: found.id, modelEnvironment: found.modelEnvironment }
  const ids = crunches.map(({ id }) => id).join(', ')
  const problem =
    chosenId === undefined ? `crunches names several: ${ids}` : `crunches has no "${chosenId}", but ${ids}`
  throw new OrchestratorError('SETTINGS_INVALID', `${path}: ${problem}; choose one with --crunch-id`)
}
