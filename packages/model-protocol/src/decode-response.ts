import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { errorText } from '@crunch/local-processes/errors'
import { ProtocolError } from './protocol-error.ts'

/** A response has two fields of two fields each; a later version of the protocol may have more. */
const MAX_FIELDS = 32

/**
 * Decodes what a model's process answers. A decoder reads as many fields as the bytes hold, and a field takes two bytes, so fields
 * are counted first. Throws `MESSAGE_INVALID`.
 */
export function decodeResponse<Message>(type: { decode(bytes: Uint8Array): Message }, bytes: Uint8Array): Message {
  try {
    for (const part of fieldsOf(bytes)) fieldsOf(part)
    return type.decode(bytes)
  } catch (error) {
    throw new ProtocolError('MESSAGE_INVALID', errorText(error), { cause: error })
  }
}

/** What the first two fields of a message hold, where that is bytes. Throws for too many fields. */
function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes)
  const found: Uint8Array[] = []
  for (let count = 1; reader.pos < reader.len; count += 1) {
    if (count > MAX_FIELDS) throw new RangeError(`a message has more than ${MAX_FIELDS} fields`)
    const [number, type] = reader.tag()
    // A group may hold any number of fields, and no version of the protocol has one.
    if (type === WireType.StartGroup || type === WireType.EndGroup) throw new RangeError('a message holds a group')
    if (type === WireType.LengthDelimited && number <= 2) found.push(reader.bytes())
    else reader.skip(type)
  }
  return found
}
