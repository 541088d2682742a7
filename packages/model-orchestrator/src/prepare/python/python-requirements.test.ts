import { describe, expect, it } from 'vitest'
import { parseRequirements, requirementName, splitHashes } from './python-requirements.ts'

const parse = (text: string | Buffer, place = 'it') => parseRequirements(Buffer.from(text), place)

describe('requirements.txt', () => {
  it('is read in order, without comments and empty lines', () => {
    const text = '# mine\r\npandas==2.2.3  # table\n\nscikit_learn [fast] >=1,<2\nriver\ntorch; python_version<"3.13"\n'
    expect(parse(text)).toEqual([
      'pandas==2.2.3',
      'scikit_learn [fast] >=1,<2',
      'river',
      'torch; python_version<"3.13"',
    ])
    expect(parse('a==1 \\\n  ,<3')).toEqual(['a==1 ,<3'])
    expect(parse('# a comment \\\nriver\na==1 \\\n  # and another \\\nsix')).toEqual(['river', 'a==1', 'six'])
  })

  it.each([
    ['--index-url https://host', /^it line 2: "--index-url https:\/\/host" is an option of pip/],
    ['-r other.txt', /is an option of pip/],
    ['./wheel.whl', /is a path; packages come only from the package index/],
    ['wheel-1-py3-none-any.whl', /is a path/],
    ['/etc', /is a path/],
    ['..', /is a path/],
    ['folder\\file', /is a path/],
    ['x @ file:///etc', /names a URL; packages come only from the package index/],
    ['x@https://host/x.whl', /names a URL/],
    ['x[a] @ git+https://host/x@v1#egg=x', /names a URL/],
    ['git+ssh://host/x', /names a URL/],
    ['https://host/x.tar.gz', /names a URL/],
    ['-e .', /is an option of pip/],
    ['--find-links=/etc', /is an option of pip/],
    ['x==1 --global-option=build', /contains an option of pip; only --hash may follow/],
    ['x==1 ; python_version > "3" --config-settings=a=b', /contains an option of pip/],
    ['x==1 \\\n  --config-settings=a=b', /contains an option of pip/],
    ['x==1\u2028-e .', /contains an option of pip/],
    ['x==1 --hash=md5:0123', /has a hash that is not a SHA-256/],
    [`x==$\{HOME}`, /is not a requirement/],
    ['x ; os_name == "$(id)"', /is not a requirement/],
    [`${'a'.repeat(2_000)}`, /is not a requirement/],
    ['two words', /is not a requirement; write it like/],
  ])('refuses "%s" with its line', (line, message) => {
    expect(() => parse(`a\n${line}`)).toThrow(message)
  })

  it('counts continued lines, and keeps hashes', () => {
    const hash = `--hash=sha256:${'0'.repeat(64)}`
    const text = `six==1.17.0 \\\n    ${hash} \\\n    ${hash}\n-e .`
    expect(() => parse(text)).toThrow(/^it line 4: "-e \."/)
    const [six = ''] = parse(text.replace('-e .', ''))
    expect(splitHashes(six)).toEqual({
      text: 'six==1.17.0',
      hashes: [
        { kind: 'sha256', digest: '0'.repeat(64) },
        { kind: 'sha256', digest: '0'.repeat(64) },
      ],
    })
  })

  it('is refused in linear time for any content', () => {
    const before = process.cpuUsage()
    for (const text of [
      `a; ${'a '.repeat(400)}$`,
      `a[${'b, '.repeat(300)}`,
      `a${'-'.repeat(900)}`,
      `a==${'1,'.repeat(400)}$`,
    ]) {
      expect(() => parse(text)).toThrow(/is not a requirement/)
    }
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000)
  })

  const big = (encoding: 'utf16le' | 'latin1') => (text: string) => Buffer.from(text, encoding)
  const utf32 = (text: string) => Buffer.concat([...text].map((one) => Buffer.from([one.charCodeAt(0), 0, 0, 0])))
  it.each<[encoding: string, content: Buffer]>([
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffriver # é\nsix==1')],
    ['UTF-16, as PowerShell writes it', big('utf16le')('\ufeffriver # é\r\nsix==1\r\n')],
    ['UTF-16 big-endian', big('utf16le')('\ufeffriver # é\nsix==1').swap16()],
    ['UTF-32', utf32('\ufeffriver # é\nsix==1').fill(Buffer.from([0xff, 0xfe, 0, 0]), 0, 4)],
    ['declared Latin-1', big('latin1')('# -*- coding: latin-1 -*-\nriver # é\nsix==1')],
    ['Latin-1 declared on line 2', big('latin1')('# mine\n# coding=iso-8859-15\nriver # é\nsix==1')],
  ])('is read in %s', (_, content) => {
    expect(parse(content)).toEqual(['river', 'six==1'])
  })

  it.each<[content: Buffer, message: RegExp]>([
    [big('latin1')('river # é'), /^it is not text in utf-8; save it as UTF-8/],
    [Buffer.from('# coding: no-such\nriver'), /^it is not text in no-such; save it as UTF-8/],
    [Buffer.from([0xff, 0xfe, 0, 0, 65]), /^it is not text in utf-32-le/],
  ])('is refused if it is not text', (content, message) => {
    expect(() => parse(content)).toThrow(message)
  })

  it('refuses endless lists', () => {
    expect(() => parse('a\n'.repeat(501))).toThrow('it has 501 requirements, more than 500')
  })

  it('refuses a huge file', () => {
    expect(() => parse(Buffer.alloc(8_388_609, '#'))).toThrow('it has 8388609 bytes, more than 8388608')
  })

  it('normalises names like a package index', () => {
    expect(['Scikit_Learn>=1', 'ruamel.yaml[x]'].map(requirementName)).toEqual(['scikit-learn', 'ruamel-yaml'])
  })
})
