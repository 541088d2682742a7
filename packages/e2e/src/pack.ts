// npm run packages -- FOLDER: packs the packages into a folder, for create-crunch --local-packages.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { packPackages } from './packed-packages.ts'
import { repositoryRoot } from './repository.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Error: the folder for the packages is missing; name one: npm run packages -- FOLDER')
  process.exit(1)
}
const directory = resolve(process.env.INIT_CWD ?? '.', folder)
await mkdir(directory, { recursive: true })
await packPackages(directory)
const scaffolder = join(repositoryRoot, 'packages/create-crunch/dist/bin.js')
console.log(`Packed into ${directory}. Use them with: node ${scaffolder} NAME --local-packages ${directory}`)
