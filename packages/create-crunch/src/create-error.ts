/** An error that the user can fix, shown without a stack. */
export class CreateError extends Error {
  override readonly name = 'CreateError'
}
