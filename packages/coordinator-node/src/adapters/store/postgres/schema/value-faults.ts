/** Errors of our encoders: caused by a value to be stored, not by the database. */
const unstorable = new WeakSet<Error>()
/** Errors of our decoders: the database contains a value that the engine never writes. */
const unreadable = new WeakSet<Error>()

function note<From, To>(faults: WeakSet<Error>, convert: (value: From) => To): (value: From) => To {
  return (value) => {
    try {
      return convert(value)
    } catch (error) {
      if (error instanceof Error) faults.add(error)
      throw error
    }
  }
}

export function noteUnstorable<Value>(encode: (value: Value) => string): (value: Value) => string {
  return note(unstorable, encode)
}

export function noteUnreadable<Value>(decode: (stored: string) => Value): (stored: string) => Value {
  return note(unreadable, decode)
}

export function isUnstorable(error: Error): boolean {
  return unstorable.has(error)
}

export function isUnreadable(error: Error): boolean {
  return unreadable.has(error)
}
