/** What our own encoders threw: the fault of a value that was to be stored, not of the database. */
const faults = new WeakSet<Error>()

export function noteValueFaults<Value>(encode: (value: Value) => string): (value: Value) => string {
  return (value) => {
    try {
      return encode(value)
    } catch (error) {
      if (error instanceof Error) faults.add(error)
      throw error
    }
  }
}

export function isValueFault(error: Error): boolean {
  return faults.has(error)
}
