import { CrunchError } from '../../../domain/errors.ts'

/** Replaces `{name}` by its value; throws a `CrunchError` CONTRACT_INVALID for an unknown name. */
export function fillTemplate(template: string, option: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value !== undefined) return value
    const known = Object.keys(values).map((key) => `{${key}}`)
    const there = [...known, '{env:NAME}'].join(', ')
    throw new CrunchError('CONTRACT_INVALID', `pollJson: ${option} does not support {${name}}; there are ${there}`)
  })
}

/** The names of environment variables in `{env:NAME}`. */
export function environmentNames(template: string): string[] {
  return Array.from(template.matchAll(/\{env:([^{}]*)\}/g), ([, name = '']) => name)
}

/** Replaces `{env:NAME}` by the variable; throws a `CrunchError` SETTINGS_INVALID naming a variable that is not set. */
export function fillEnvironment(
  template: string,
  option: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return template.replace(/\{env:([^{}]*)\}/g, (_whole, name: string) => {
    const value = env[name]?.trim()
    if (value !== undefined && value !== '') return value
    const cause = `${name}: is not set; ${option} of the JSON source needs it, so set it in the environment of the node`
    throw new CrunchError('SETTINGS_INVALID', `The settings are wrong:\n  - ${cause}`)
  })
}
