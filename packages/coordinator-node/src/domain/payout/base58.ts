const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Bytes of a transaction's id, which is its first signature (Ed25519), and of an account's address. */
const [signatureBytes, addressBytes] = [64, 32]

/** A base58 digit holds 5.86 bits, so a longer text cannot have the bytes: nothing longer is decoded. */
const digitsOf = (bytes: number) => Math.ceil((bytes * 8) / Math.log2(58))

/** Number of bytes of a base58 text; `null` if it is none. A text has one value and a value one text. */
function byteCount(text: string): number | null {
  let value = 0n
  for (const digit of text) {
    const index = alphabet.indexOf(digit)
    if (index < 0) return null
    value = value * 58n + BigInt(index)
  }
  const zeros = /^1*/.exec(text)?.[0].length ?? 0
  return zeros + (value === 0n ? 0 : Math.ceil(value.toString(16).length / 2))
}

/** Why a text is not the id of a transaction, 64 bytes in base58; `null` if it is one. */
export function transactionIdProblem(text: string): string | null {
  const problem = bytesProblem(text, signatureBytes)
  if (problem !== null) return problem
  return /^1+$/.test(text) ? 'is the empty signature, which no transaction has' : null
}

/** Why a text is not the address of an account, 32 bytes in base58; `null` if it is one. */
export function addressProblem(text: string): string | null {
  return bytesProblem(text, addressBytes)
}

function bytesProblem(text: string, bytes: number): string | null {
  if (text.length > digitsOf(bytes)) return `is longer than ${bytes} bytes in base58`
  const count = byteCount(text)
  if (count === null) return 'has characters that are not base58: letters and digits without 0, O, I and l'
  return count === bytes ? null : `has ${count} bytes, not ${bytes}`
}
