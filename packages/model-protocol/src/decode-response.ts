import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { errorText } from '@crunch/local-processes/errors'
import { ProtocolError } from './protocol-error.ts'

/** A response has two fields with two fields each; a later version of the protocol may have more. */
const MAX_FIELDS = 32

/**
 * Decodes the response of a model. A field takes as little as two bytes, so a small message could keep the decoder busy with millions
 * of fields; they are therefore counted first. Throws `MESSAGE_INVALID`.
 */
export function decodeResponse<Message>(type: { decode(bytes: Uint8Array): Message }, bytes: Uint8Array): Message {
  try {
    for (const part of fieldsOf(bytes)) fieldsOf(part)
    return type.decode(bytes)
  } catch (error) {
    throw new ProtocolError('MESSAGE_INVALID', errorText(error), { cause: error })
  }
}

/** Returns the content of the first two fields if it is bytes. Throws if there are too many fields. */
function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes)
  const found: Uint8Array[] = []
  for (let count = 1; reader.pos < reader.len; count += 1) {
    if (count > MAX_FIELDS) throw new RangeError(`a message has more than ${MAX_FIELDS} fields`)
    const [number, type] = reader.tag()
    // A group may contain any number of fields, and no version of the protocol uses groups.
    if (type === WireType.StartGroup || type === WireType.EndGroup) throw new RangeError('a message contains a group')
    if (type === WireType.LengthDelimited && number <= 2) found.push(reader.bytes())
    else reader.skip(type)
  }
  return found
}
