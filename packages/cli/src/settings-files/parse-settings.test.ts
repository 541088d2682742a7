import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parseSettings } from './parse-settings.ts'

function values(text: string): Record<string, string> {
  const { lines, problems } = parseSettings(text)
  expect(problems).toEqual([])
  return Object.fromEntries(lines.map(({ key, value }) => [key, value]))
}

const accepted = [
  '# a comment; the next line is empty',
  '',
  'PLAIN=value',
  'EMPTY=',
  'EMPTY_WITH_BLANKS=   ',
  'HASH=path/to/module.ts#export',
  'HASH_FIRST=#abc',
  'COMMENT=abc#def # the key',
  'URL=postgres://u:p%40x@[::1]:5432/db?sslmode=require#x',
  'LIST=BTCUSDT,ETHUSDT',
  'ODD=a=b!c*d?e{f}[g]^h:i@j+k',
  'UMLAUT=größe',
  "SINGLE='a b # c $x \\ \" `y`' # comment",
  'DOUBLE="a b # c"',
  `APOSTROPHE="it's"`,
  "QUOTED_EMPTY=''",
  '  INDENTED=1',
  '\tTABBED=1',
  'export EXPORTED=1',
  '  export \t FAR=1   ',
  '   # an indented comment',
]

describe('parseSettings', () => {
  it('parses all supported notations', () => {
    expect(values(accepted.join('\n'))).toEqual({
      PLAIN: 'value',
      EMPTY: '',
      EMPTY_WITH_BLANKS: '',
      HASH: 'path/to/module.ts#export',
      HASH_FIRST: '#abc',
      COMMENT: 'abc#def',
      URL: 'postgres://u:p%40x@[::1]:5432/db?sslmode=require#x',
      LIST: 'BTCUSDT,ETHUSDT',
      ODD: 'a=b!c*d?e{f}[g]^h:i@j+k',
      UMLAUT: 'größe',
      SINGLE: 'a b # c $x \\ " `y`',
      DOUBLE: 'a b # c',
      APOSTROPHE: "it's",
      QUOTED_EMPTY: '',
      INDENTED: '1',
      TABBED: '1',
      EXPORTED: '1',
      FAR: '1',
    })
  })

  it.skipIf(process.platform === 'win32')('parses accepted lines like a shell', () => {
    const read = values(accepted.join('\n'))
    const print = Object.keys(read).map((key) => `printf '%s\\0' "$${key}"`)
    const output = execFileSync('sh', ['-c', [...accepted, ...print].join('\n')], { encoding: 'utf8', env: {} })
    expect(output.split('\0').slice(0, -1)).toEqual(Object.values(read))
  })

  it('accepts blanks around the commas of a list, as docker compose and dotenv do', () => {
    const text = 'A=BTCUSDT, ETHUSDT\nB=a.csv , b.csv,  c.csv # both\nexport C=1,2 ,3\nD=x, # rest\n'
    expect(values(text)).toEqual({ A: 'BTCUSDT, ETHUSDT', B: 'a.csv , b.csv,  c.csv', C: '1,2 ,3', D: 'x,' })
  })

  it('accepts Windows line ends', () => {
    expect(values('A=1\r\nB="x"\r\n\r\nC=\r\n')).toEqual({ A: '1', B: 'x', C: '' })
  })

  it.each([
    ['see the wiki', 'it has no "="'],
    ['LOG_LEVEL', 'it has no "="'],
    ['LOG_LEVEL: debug', '"LOG_LEVEL:" is YAML'],
    ['LOG_LEVEL: a=b', '"LOG_LEVEL:" is YAML'],
    ['LOG_LEVEL =debug', 'there is a blank between LOG_LEVEL and "="'],
    ['LOG_LEVEL= debug', 'LOG_LEVEL: there is a blank after "="'],
    ['LOG_LEVEL=  # quiet', 'LOG_LEVEL: there is a blank after "="'],
    ['=debug', 'there is no name before "="'],
    ['LOG-LEVEL=debug', 'the text before "=" is not a name of a setting'],
    ['set LOG_LEVEL=debug', 'the text before "=" is not a name of a setting'],
    ['A=one two', 'A: the value contains a blank'],
    ['A=one, two three', 'A: the value contains a blank'],
    ['A=one,\ttwo', 'A: the value contains a blank'],
    ['A= one, two', 'A: there is a blank after "="'],
    ['A=one\t# two', 'A: there is a tab before "#"'],
    ['A=$HOME', 'A: the value contains $'],
    ['A=x`id`', 'A: the value contains `'],
    ['A=C:\\certs', 'A: the value contains \\'],
    ['A=x&y', 'A: the value contains &'],
    ['A=x;y', 'A: the value contains ;'],
    ["A=it's", "A: the value contains '"],
    ['A=~/certs', 'A: a shell would replace the "~"'],
    ['A=“x”', 'A: the value begins with a typographic quote'],
    ['A="open', 'A: the quote " is not closed'],
    ["A='open", "A: the quote ' is not closed"],
    ['A="x"y', 'A: there is text after the closing quote "'],
    ['A="x"#y', 'A: there is text after the closing quote "'],
    ['A="x$y"', 'A: between double quotes, $ does'],
    ['A="x\\ny"', 'A: between double quotes, \\ does'],
    ['A=x\u00a0', 'it contains the invisible character U+00A0'],
    ['A=x\ry', 'it contains the invisible character U+000D'],
    ['A=x\0', 'it contains the invisible character U+0000'],
  ])('refuses %j with its line, and continues', (line, cause) => {
    const { lines, problems } = parseSettings(`FIRST=1\n${line}\nNEXT=2\n`)
    expect(lines.map(({ key }) => key)).toEqual(['FIRST', 'NEXT'])
    expect(problems).toMatchObject([{ line: 2, cause: expect.stringContaining(cause) }])
  })

  it('shows no value, because it may be a secret', () => {
    for (const line of ['A="s3cret', 'A=s3cret s3cret', 'A=s3cret$', 'A="s3cret"s3cret', 'A=\u00a0s3cret', 's3cret']) {
      expect(JSON.stringify(parseSettings(line).problems)).not.toContain('s3cret')
    }
  })

  it('refuses a key that is set twice, and names both lines', () => {
    expect(parseSettings('A=1\nB=2\nA=1\n').problems).toEqual([
      {
        line: 3,
        cause: 'A is set a second time; the first time is line 1',
        fix: 'remove one of the two lines',
      },
    ])
  })
})
