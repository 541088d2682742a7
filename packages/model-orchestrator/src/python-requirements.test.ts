import { describe, expect, it } from 'vitest'
import { parseRequirements, requirementName } from './python-requirements.ts'

describe('requirements.txt', () => {
  it('is read without comments and empty lines, in its order', () => {
    const text = '# mine\r\npandas==2.2.3  # table\n\nscikit_learn [fast] >=1,<2\nriver\ntorch; python_version<"3.13"\n'
    expect(parseRequirements(text, 'it')).toEqual([
      'pandas==2.2.3',
      'scikit_learn [fast] >=1,<2',
      'river',
      'torch; python_version<"3.13"',
    ])
    expect(parseRequirements('mine @ git+https://host/x@v1#egg=mine\na==1 \\\n  ,<3', 'it')).toEqual([
      'mine @ git+https://host/x@v1#egg=mine',
      'a==1    ,<3',
    ])
  })

  it.each([
    ['--index-url https://host', /^it line 2: "--index-url https:\/\/host" is an option of pip/],
    ['-r other.txt', /is an option of pip/],
    ['./wheel.whl', /is no requirement/],
    ['/etc', /is no requirement/],
    ['x @ file:///etc', /is no requirement/],
    ['two words', /is no requirement; write it like/],
  ])('refuses "%s" with its line', (line, message) => {
    expect(() => parseRequirements(`a\n${line}`, 'it')).toThrow(message)
  })

  it('refuses endless lists', () => {
    expect(() => parseRequirements('a\n'.repeat(501), 'it')).toThrow('it has 501 requirements, more than 500')
  })

  it('knows names as an index compares them', () => {
    expect(['Scikit_Learn>=1', 'ruamel.yaml[x]'].map(requirementName)).toEqual(['scikit-learn', 'ruamel-yaml'])
  })
})
