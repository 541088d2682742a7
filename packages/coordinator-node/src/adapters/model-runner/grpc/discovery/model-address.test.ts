import { describe, expect, it } from 'vitest'
import { readModelAddress } from './model-address.ts'

describe('readModelAddress', () => {
  it.each([
    ['127.0.0.1', 50_051, '127.0.0.1', '127.0.0.1:50051'],
    ['localhost', 1, 'localhost', 'localhost:1'],
    ['::1', 50_051, '::1', '[::1]:50051'],
    ['[::1]', 50_051, '::1', '[::1]:50051'],
    ['unixes.example.org', 80, 'unixes.example.org', 'unixes.example.org:80'],
  ])('reads %s and %s as a host', (ip, port, host, authority) => {
    expect(readModelAddress(ip, port)).toMatchObject({ endpoint: { host, port }, authority })
  })

  it.each([
    ['unix:/run/model/sock', '/run/model/sock:1'],
    ['unix:///run/model/sock', '/run/model/sock:1'],
    ['unix:relative/sock', 'relative/sock:1'],
  ])('reads %s as a socket path that ends with the port', (ip, path) => {
    expect(readModelAddress(ip, 1)).toEqual({ endpoint: { path }, authority: 'localhost' })
  })
})
