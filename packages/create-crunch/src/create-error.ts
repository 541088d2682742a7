/** Something the user can put right: shown as a sentence, without a stack. */
export class CreateError extends Error {
  override readonly name = 'CreateError'
}
