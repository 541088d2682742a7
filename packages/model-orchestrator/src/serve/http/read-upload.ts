import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isPrintable } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../../errors.ts'
import { SUBMISSION_LIMITS } from '../../submission/copy-submission.ts'

const FIELDS = ['files', 'desired_state', 'model_name', 'cruncher_id', 'cruncher_name', 'crunch_id'] as const
const MAX_TEXT_CHARACTERS = 200

/** The fields of a form; an absent or empty field is undefined. */
export interface ModelForm {
  readonly files: readonly File[]
  readonly desiredState?: 'RUNNING' | 'STOPPED'
  readonly modelName?: string
  readonly cruncherId?: string
  readonly cruncherName?: string
}

/** Parses the form of `POST /models` and `PATCH /models/{id}`. Throws `REQUEST_INVALID` with the field, cause and fix. */
export async function readModelForm(request: Request): Promise<ModelForm> {
  const form = await request.formData().catch((error: unknown) => {
    const problem = `the body is not a form (${errorText(error)}); send multipart/form-data, as curl -F does`
    throw new OrchestratorError('REQUEST_INVALID', problem, { cause: error })
  })
  for (const name of form.keys()) {
    if (!FIELDS.some((known) => known === name)) throw invalid(name, `is unknown; known are ${FIELDS.join(', ')}`)
  }
  const files = form.getAll('files').map((value) => {
    if (typeof value !== 'string') return value
    throw invalid('files', 'is text; send files, as curl -F files=@main.py does')
  })
  if (files.length > SUBMISSION_LIMITS.files) throw invalid('files', `are more than ${SUBMISSION_LIMITS.files}`)
  const desiredState = textOf(form, 'desired_state')
  if (desiredState !== undefined && desiredState !== 'RUNNING' && desiredState !== 'STOPPED') {
    throw invalid('desired_state', `is "${desiredState}"; it must be RUNNING or STOPPED`)
  }
  const [modelName, cruncherId] = [textOf(form, 'model_name'), textOf(form, 'cruncher_id')]
  const cruncherName = textOf(form, 'cruncher_name')
  return {
    files,
    ...(desiredState === undefined ? {} : { desiredState }),
    ...(modelName === undefined ? {} : { modelName }),
    ...(cruncherId === undefined ? {} : { cruncherId }),
    ...(cruncherName === undefined ? {} : { cruncherName }),
  }
}

/**
 * Writes the files to a temporary folder and calls `use` with the path of the submission: the notebook if it is the only
 * file, otherwise the folder. Throws `REQUEST_INVALID` for a name outside the folder.
 */
export async function withUploadedFiles<Result>(
  files: readonly File[],
  use: (source: string) => Promise<Result>,
): Promise<Result> {
  const names = files.map(({ name }) => safePath(name))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid('files', `contain "${twice}" twice; send each file once`)
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'crunch-upload-')))
  try {
    for (const [index, file] of files.entries()) {
      const path = join(folder, names[index] ?? '')
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, new Uint8Array(await file.arrayBuffer()), { flag: 'wx' })
    }
    const [only] = names
    const isNotebook = names.length === 1 && only?.toLowerCase().endsWith('.ipynb') === true
    return await use(isNotebook ? join(folder, only) : folder)
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error
    // The client does not know the temporary folder.
    const text = error.message.replaceAll(`${folder}/`, '').replaceAll(folder, 'the upload')
    throw new OrchestratorError(error.code, text, { cause: error })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Returns the name as a relative path inside the folder, or throws. */
function safePath(name: string): string {
  const parts = name.split('/')
  const isSafe = parts.every((part) => {
    return (
      part !== '' && part !== '.' && part !== '..' && part.length <= 200 && !part.includes('\\') && isPrintable(part)
    )
  })
  if (isSafe && parts.length <= 32) return parts.join('/')
  const shown = JSON.stringify(name.slice(0, 100))
  throw invalid('files', `contain the name ${shown}; send names relative to the submission, such as src/model.py`)
}

function textOf(form: FormData, name: string): string | undefined {
  const values = form.getAll(name)
  const [value] = values
  if (values.length > 1) throw invalid(name, 'is given more than once; give it once')
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalid(name, 'is a file; send text')
  const text = value.trim()
  if (!isPrintable(text)) throw invalid(name, 'contains an invisible character, such as a control character; remove it')
  if (text.length > MAX_TEXT_CHARACTERS) throw invalid(name, `is longer than ${MAX_TEXT_CHARACTERS} characters`)
  return text === '' ? undefined : text
}

function invalid(field: string, problem: string): OrchestratorError {
  return new OrchestratorError('REQUEST_INVALID', `form field "${field.slice(0, 50)}" ${problem}`)
}
