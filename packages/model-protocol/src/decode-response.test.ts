import { describe, expect, it } from 'vitest'
import { decodeResponse } from './decode-response.ts'
import { VariantType } from './generated/commons.ts'
import { CallResponse } from './generated/dynamic_subclass.ts'

const response = {
  status: { code: 'SUCCESS', message: 'done' },
  methodResponse: { type: VariantType.JSON, value: Buffer.from('{"value":0.5}') },
}
const bytes = Buffer.from(CallResponse.encode(response).finish())

describe('decodeResponse', () => {
  it('decodes a response, even with unknown fields of a later version', () => {
    expect(decodeResponse(CallResponse, bytes)).toEqual(response)
    const later = Buffer.concat([bytes, Buffer.from([0x18, 0x05]), Buffer.from([0x22, 0x02, 0xff, 0xff])])
    expect(decodeResponse(CallResponse, later)).toEqual(response)
    expect(decodeResponse(CallResponse, Buffer.alloc(0))).toEqual({ status: undefined, methodResponse: undefined })
  })

  it.each([
    ['many unknown fields', Buffer.from('1805'.repeat(40), 'hex')],
    ['a status repeated many times', Buffer.from('0a00'.repeat(40), 'hex')],
    ['many texts in the status', Buffer.concat([Buffer.from([0x0a, 80]), Buffer.from('0a00'.repeat(40), 'hex')])],
    ['many fields in the value', Buffer.concat([Buffer.from([0x12, 80]), Buffer.from('1805'.repeat(40), 'hex')])],
  ])('refuses %s before decoding', (_, many) => {
    expect(() => decodeResponse(CallResponse, many)).toThrow('more than 32 fields')
    expect(() => decodeResponse(CallResponse, many)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  })

  it.each([
    ['groups', Buffer.alloc(1_000, 0x1b)],
    ['half a message', bytes.subarray(0, bytes.length - 1)],
  ])('refuses %s', (_, wrong) => {
    expect(() => decodeResponse(CallResponse, wrong)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }))
  })
})
