import { Coin, Flat, MeanReversion, Momentum, VolatilityScaled } from '../../../../templates/challenge/src/index.ts'

const classes = [Momentum, MeanReversion, VolatilityScaled, Coin, Flat]

/** A number of models, made by repeating the examples of the challenge template. */
export function exampleModels(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const Model = classes[index % classes.length] ?? Flat
    const id = `${index + 1}-${Model.name}`
    return {
      identity: { id, name: id, deploymentId: `${id}-1`, cruncherId: id, cruncherName: id },
      model: new Model(),
    }
  })
}
