import { expect, it } from 'vitest'
import { parameterNames } from './parameter-names.ts'

it('reads the names of parameters from the source', () => {
  class Model {
    plain(_subject: string, _horizon: number) {}
    async defaults(_a = { x: [1, ')'] }, _b = "it's, ", _c = (1 + 2) * 3) {}
    odd({ x: _x }: { x: number }, [_y]: number[], ..._rest: unknown[]) {}
  }
  const { plain, defaults, odd } = Model.prototype
  expect(parameterNames(plain)).toEqual(['_subject', '_horizon'])
  expect(parameterNames(defaults)).toEqual(['_a', '_b', '_c'])
  expect(parameterNames(odd)).toEqual(['', '', ''])
  expect(parameterNames(() => 1)).toEqual([])
  expect(parameterNames((_value: number) => 1)).toEqual(['_value'])
  expect(parameterNames(Math.max)).toEqual([])
})
