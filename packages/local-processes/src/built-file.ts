import { fileURLToPath } from 'node:url'

/**
 * The path of a file in the build of the package that a module belongs to, such as the program of that package. The module
 * may also be a source: tests run sources, and the programs that these start are built.
 *
 * @param moduleUrl `import.meta.url` of the module
 */
export function builtFile(moduleUrl: string, name: string): string {
  const folder = /^(.*)\/(?:dist|src)\//.exec(moduleUrl)?.[1]
  if (folder === undefined) throw new Error(`${moduleUrl} is in neither dist nor src of a package`)
  return fileURLToPath(`${folder}/dist/${name}`)
}
